"""What GE2E is trained with: each utterance near its own speaker's centroid and far from the others'."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Scale and offset of the cosines at the start (section 2.1 of the paper).
FIRST_SCALE, FIRST_OFFSET = 10.0, -5.0
LEAST_SCALE = 1e-3


def centroid_cosines(embeddings: Tensor) -> Tensor:
    """Return how near each utterance is to each speaker's centroid, its own centroid made without it.

    Parameters
    ----------
    embeddings
        (speakers, utterances, size), 2 or more utterances of each.

    Returns
    -------
    (speakers, utterances, speakers)
        Cosines; equations 8 and 9 of L. Wan et al., "Generalized end-to-end loss for speaker verification", 2018.
    """
    speakers, utterances, _ = embeddings.shape
    total = embeddings.sum(1, keepdim=True)  # (S, 1, E)
    units = functional.normalize(embeddings, dim=2)
    to_all = units @ functional.normalize(total[:, 0], dim=1).T  # (S, U, S)
    others = functional.normalize((total - embeddings) / (utterances - 1), dim=2)
    to_own = (units * others).sum(2, keepdim=True)  # (S, U, 1)
    is_own = torch.eye(speakers, dtype=torch.bool)[:, None, :]
    return torch.where(is_own, to_own, to_all)


class Ge2eLoss(nn.Module):
    """Generalised end-to-end loss, with its learned scale and offset, as the mean over utterances.

    Parameters
    ----------
    contrast
        False: the softmax form (equation 6 of the paper); True: the contrast form (equation 7), which looks only at
        the nearest of the other speakers.
    """

    def __init__(self, contrast: bool = False) -> None:
        super().__init__()
        self.contrast = contrast
        self.scale = nn.Parameter(torch.tensor(FIRST_SCALE))
        self.offset = nn.Parameter(torch.tensor(FIRST_OFFSET))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Judge (speakers, utterances, size) embeddings, 2 speakers and 2 utterances or more."""
        likeness = self.scale.clamp(min=LEAST_SCALE) * centroid_cosines(embeddings) + self.offset  # (S, U, S)
        is_own = torch.eye(likeness.shape[0], dtype=torch.bool)[:, None, :].expand_as(likeness)
        own = likeness[is_own].view(likeness.shape[:2])  # (S, U)
        if self.contrast:
            nearest = torch.sigmoid(likeness).masked_fill(is_own, 0.0).amax(2)
            return (1.0 - torch.sigmoid(own) + nearest).mean()
        return (torch.logsumexp(likeness, dim=2) - own).mean()
