"""Holds voices to the target's identity by GE2E itself, which its student alone lets itself be fooled about."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from vcfx_models.ge2e_geometry import BANDS, FFT_SAMPLES
from vcfx_models.networks.ge2e import read_ge2e

from .compute_device import in_float32
from .identity import at_usual_level, mean_of_heard
from .mel_at_16_khz import MelAt16Khz

#: Before so many frames of 10 ms, GE2E has heard too little to say who speaks.
FIRST_FRAME = 30


class TeacherIdentity(nn.Module):
    """1 - cosine between GE2E's view of what was spoken and of the target.

    A converter trained with this is flattered by GE2E: judge it by another embedder.

    Parameters
    ----------
    weights
        ``resemblyzer/pretrained.pt``.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__()
        self.network = read_ge2e(weights)
        self.mel = MelAt16Khz(FFT_SAMPLES, BANDS)

    def forward(self, spoken: Tensor, target: Tensor, identity: Tensor) -> Tensor:
        """Compare (batch, samples) with (batch, 256) embeddings; clips that are nearly silent do not count."""
        levelled, heard = at_usual_level(spoken, target)
        with in_float32():
            embedded = self.network(self.mel(levelled))
        return mean_of_heard(1.0 - (embedded * identity).sum(1), heard)

    def frame_by_frame(self, spoken: Tensor, target: Tensor) -> Tensor:
        """Compare (batch, samples) with the recordings that they should be; nearly silent ones do not count.

        What GE2E thinks after each frame tells more of how the voice sounds than what it thinks of the whole.
        """
        levelled, heard = at_usual_level(spoken, target)
        views = self._views(levelled)
        with torch.no_grad():
            wanted = self._views(at_usual_level(target, target)[0])
        return mean_of_heard(1.0 - (views * wanted).sum(2).mean(1), heard)

    def _views(self, audio: Tensor) -> Tensor:
        with in_float32():
            return self.network.views(self.mel(audio))[:, FIRST_FRAME:]
