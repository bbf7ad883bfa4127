"""Holds the converter to the target's identity: what is spoken must embed like the target."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from vcfx_models.networks.speaker_encoder import SpeakerEncoder
from vcfx_models.speech_level import LEVEL_DBFS

from .compute_device import in_bfloat16
from .front_end import log_mel, power_frames, warped_filterbank

#: RMS of the speech that the speaker encoder was trained on.
USUAL_RMS = 10.0 ** (LEVEL_DBFS / 20.0)


def at_usual_level(spoken: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return (batch, samples) as loud as the encoder is used to, by the target's level, and which have any sound."""
    rms = target.square().mean(1, keepdim=True).sqrt()
    return spoken * (USUAL_RMS / rms.clamp(min=1e-3)), (rms[:, 0] > 1e-3).float()


def mean_of_heard(distance: Tensor, heard: Tensor) -> Tensor:
    """Return the mean distance of the clips that have any sound, 0 if none has."""
    return (distance * heard).sum() / heard.sum().clamp(min=1.0)


class IdentityLoss(nn.Module):
    """1 - cosine between our speaker encoder's view of what was spoken and GE2E's of the target clip.

    Our encoder is a student of GE2E, so similarity by GE2E flatters what was trained with this: look at another
    embedder too.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__()
        self.encoder = SpeakerEncoder()
        self.encoder.load_state_dict(torch.load(weights, weights_only=True, map_location=torch.get_default_device()))
        self.encoder.requires_grad_(False)
        self.filterbank = warped_filterbank(1.0)

    def forward(self, spoken: Tensor, target: Tensor, identity: Tensor) -> Tensor:
        """Compare (batch, samples) with (batch, 256) embeddings; clips that are nearly silent do not count."""
        levelled, heard = at_usual_level(spoken, target)
        mel = log_mel(power_frames(levelled), self.filterbank)
        with in_bfloat16():
            embedded = cast(Tensor, self.encoder(mel)).float()
        return mean_of_heard(1.0 - (embedded * identity).sum(1), heard)
