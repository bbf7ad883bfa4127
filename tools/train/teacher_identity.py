"""Holds swapped voices to the target's identity by GE2E itself, which its student alone lets itself be fooled about."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from vcfx_models.ge2e_geometry import BANDS, FFT_SAMPLES
from vcfx_models.networks.ge2e import read_ge2e

from .compute_device import in_float32
from .identity import at_usual_level, mean_of_heard
from .mel_at_16_khz import MelAt16Khz


class TeacherIdentity(nn.Module):
    """1 - cosine between GE2E's view of what was spoken and of the target's clip.

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
