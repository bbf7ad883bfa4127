"""The GE2E loss, utterance by utterance, as the paper writes it (L. Wan et al., 2018)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


def similarities(embeddings: Floats, scale: float, offset: float) -> Floats:
    """Equation 9: S[j, i, k] of utterance i of speaker j and the centroid of speaker k."""
    speakers, utterances, _ = embeddings.shape
    out = np.zeros((speakers, utterances, speakers))
    for j in range(speakers):
        for i in range(utterances):
            for k in range(speakers):
                heard = [m for m in range(utterances) if k != j or m != i]
                centroid = sum((embeddings[k, m] for m in heard), np.zeros(embeddings.shape[2])) / len(heard)
                out[j, i, k] = scale * cosine(embeddings[j, i], centroid) + offset
    return out


def softmax_loss(embeddings: Floats, scale: float, offset: float) -> float:
    """Equation 6, as the mean over utterances."""
    table = similarities(embeddings, scale, offset)
    speakers, utterances, _ = table.shape
    losses = [-table[j, i, j] + np.log(np.sum(np.exp(table[j, i]))) for j in range(speakers) for i in range(utterances)]
    return float(np.mean(losses))


def contrast_loss(embeddings: Floats, scale: float, offset: float) -> float:
    """Equation 7, as the mean over utterances."""
    squashed = 1.0 / (1.0 + np.exp(-similarities(embeddings, scale, offset)))
    speakers, utterances, _ = squashed.shape
    losses = [
        1.0 - squashed[j, i, j] + max(squashed[j, i, k] for k in range(speakers) if k != j)
        for j in range(speakers)
        for i in range(utterances)
    ]
    return float(np.mean(losses))
