"""Holds swapped voices to the target's identity by GE2E itself, which its student alone lets itself be fooled about."""

from __future__ import annotations

from pathlib import Path

import librosa
import torch
from torch import Tensor, nn

from vcfx_models import geometry as grid
from vcfx_models.ge2e_geometry import BANDS, FFT_SAMPLES
from vcfx_models.ge2e_geometry import SAMPLE_RATE as ENCODER_RATE_HZ
from vcfx_models.networks.ge2e import read_ge2e

from .compute_device import in_float32, on_device
from .identity import at_usual_level, mean_of_heard

#: GE2E hears 16 kHz; windows of the same length in seconds give the same bins at our rate, up to 8 kHz.
WINDOW_SAMPLES = FFT_SAMPLES * grid.SAMPLE_RATE // ENCODER_RATE_HZ
BINS = FFT_SAMPLES // 2 + 1


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
        bank = librosa.filters.mel(sr=ENCODER_RATE_HZ, n_fft=FFT_SAMPLES, n_mels=BANDS)
        # A longer window sums more samples: the same sound has more power in its bins.
        self.bank = on_device(torch.from_numpy(bank.T.copy())) * (FFT_SAMPLES / WINDOW_SAMPLES) ** 2
        self.window = torch.hann_window(WINDOW_SAMPLES)

    def forward(self, spoken: Tensor, target: Tensor, identity: Tensor) -> Tensor:
        """Compare (batch, samples) with (batch, 256) embeddings; clips that are nearly silent do not count."""
        levelled, heard = at_usual_level(spoken, target)
        with in_float32():
            frames = levelled.unfold(1, WINDOW_SAMPLES, grid.HOP_SAMPLES) * self.window
            power = torch.fft.rfft(frames)[:, :, :BINS].abs().square()
            embedded = self.network(power @ self.bank)
        return mean_of_heard(1.0 - (embedded * identity).sum(1), heard)
