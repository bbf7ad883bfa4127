"""Mel bands as networks for 16 kHz hear them, of sound at the converter's rate and without resampling it."""

from __future__ import annotations

import librosa
import torch
from torch import Tensor, nn

from vcfx_models import geometry as grid

from .compute_device import on_device

RATE_HZ = 16_000


class MelAt16Khz(nn.Module):
    """Power in mel bands, every 10 ms: windows of the same length in seconds give the same bins up to 8 kHz.

    Parameters
    ----------
    fft_samples, bands
        Window, in samples at 16 kHz, and number of bands.
    """

    def __init__(self, fft_samples: int, bands: int) -> None:
        super().__init__()
        self.window_samples, self.bins = fft_samples * grid.SAMPLE_RATE // RATE_HZ, fft_samples // 2 + 1
        bank = librosa.filters.mel(sr=RATE_HZ, n_fft=fft_samples, n_mels=bands)
        # A longer window sums more samples: the same sound has more power in its bins.
        self.bank = on_device(torch.from_numpy(bank.T.copy())) * (fft_samples / self.window_samples) ** 2
        self.window = torch.hann_window(self.window_samples)

    def forward(self, audio: Tensor) -> Tensor:
        """Turn (batch, samples) into (batch, frames, bands)."""
        frames = audio.float().unfold(1, self.window_samples, grid.HOP_SAMPLES) * self.window
        power: Tensor = torch.fft.rfft(frames)[:, :, : self.bins].abs().square()
        return power @ self.bank
