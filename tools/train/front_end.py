"""Log-mel frames of whole batches in torch, the same as `vcfx_dsp.mel.LogMel` gives in a stream."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from vcfx_dsp.mel import hz_of_mel, mel_of_hz
from vcfx_models import geometry as grid

#: Samples before the first hop that the first window reaches back to.
PAST_SAMPLES = grid.MEL_WINDOW_SAMPLES - grid.HOP_SAMPLES


def warped_filterbank(warp: float, top_hz: float = grid.MEL_TOP_HZ, bands: int = grid.N_MELS) -> Tensor:
    """Return (bins, bands) mel weights whose centres lie at `warp` times their frequency: another vocal tract."""
    bins_hz = np.arange(grid.MEL_WINDOW_SAMPLES // 2 + 1) * (grid.SAMPLE_RATE / grid.MEL_WINDOW_SAMPLES)
    corners_hz = hz_of_mel(np.linspace(0.0, float(mel_of_hz(top_hz)), bands + 2)) * warp
    low, middle, high = corners_hz[:-2, None], corners_hz[1:-1, None], corners_hz[2:, None]
    rising, falling = (bins_hz - low) / (middle - low), (high - bins_hz) / (high - middle)
    weights = np.maximum(np.minimum(rising, falling), 0.0) * 2.0 / (high - low)
    return torch.tensor(weights.T.copy(), dtype=torch.float32)


def power_frames(audio: Tensor) -> Tensor:
    """Turn (batch, PAST_SAMPLES + hops * 240) into (batch, hops, bins) of power."""
    window = torch.hann_window(grid.MEL_WINDOW_SAMPLES, periodic=True)
    frames = audio.unfold(1, grid.MEL_WINDOW_SAMPLES, grid.HOP_SAMPLES) * window
    return torch.fft.rfft(frames).abs().square()


def log_mel(power: Tensor, filterbank: Tensor) -> Tensor:
    """Turn power into (batch, hops, mels); `filterbank`: (bins, mels) or one for each of the batch."""
    return torch.clamp(power @ filterbank, min=grid.MEL_FLOOR).log()


def energy_pairs(mel: Tensor) -> Tensor:
    """Return the loudness path (batch, hops, 2) of log-mel frames: late by two hops, halfway between for the second."""
    level = torch.logsumexp(mel, dim=2) - math.log(grid.N_MELS)
    late = torch.cat([level[:, :1].expand(-1, grid.ENERGY_DELAY_HOPS), level], dim=1)[:, : level.shape[1] + 1]
    before, after = late[:, :-1], late[:, 1:]
    return torch.stack([before, 0.5 * (before + after)], dim=2)
