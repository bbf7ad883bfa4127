"""How periodic spoken audio is, frame by frame: what tells a voiced sound from a voiceless one, whoever speaks."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from vcfx_models import geometry as grid

WINDOW_SAMPLES = 1024
#: What lies between is compared with itself one period later: below rumbles the room, above breath masks any voice.
LOWEST_HZ, HIGHEST_HZ = 90.0, 2_000.0
#: Periods that are tried: those of voices, so near to each other that the best is never missed by a beat.
SHORTEST_HZ, LONGEST_HZ, PERIODS = 500.0, 65.0, 340
#: Frames fainter than this (mean square, full scale 1) are pauses and do not count.
LEAST_POWER = 10.0 ** (-60.0 / 10.0)


@cache
def _autocorrelation(device: torch.device) -> tuple[slice, Tensor]:
    """Return the bins in use, and what turns their power into autocorrelation at every period tried."""
    width_hz = grid.SAMPLE_RATE / WINDOW_SAMPLES
    bins = slice(math.ceil(LOWEST_HZ / width_hz), math.floor(HIGHEST_HZ / width_hz) + 1)
    hz = torch.arange(bins.start, bins.stop, device=device) * width_hz
    lags_s = 1.0 / torch.logspace(math.log10(SHORTEST_HZ), math.log10(LONGEST_HZ), PERIODS, device=device)
    window = torch.hann_window(WINDOW_SAMPLES, device=device)
    spread = torch.fft.irfft(torch.fft.rfft(window, 2 * WINDOW_SAMPLES).abs().square())[:WINDOW_SAMPLES]
    places = lags_s * grid.SAMPLE_RATE
    below = places.long()
    left = torch.lerp(spread[below], spread[below + 1], places - below) / spread[0]
    return bins, torch.cos(2.0 * math.pi * hz[:, None] * lags_s) / left


def harmonicity(audio: Tensor) -> tuple[Tensor, Tensor]:
    """Return how much of each frame comes back after one period, 0 (nothing) to 1, and the frame's mean square.

    Parameters
    ----------
    audio
        (batch, samples) at 24 kHz.

    Returns
    -------
    tuple of Tensor
        (batch, frames) each, a frame every 10 ms.

    References
    ----------
    P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
    sampled sound", IFA Proceedings 17, 1993: the window's own autocorrelation is divided out.
    """
    frames = audio.float().unfold(1, WINDOW_SAMPLES, grid.HOP_SAMPLES)
    window = torch.hann_window(WINDOW_SAMPLES, device=audio.device)
    bins, cosines = _autocorrelation(audio.device)
    spectrum = torch.fft.rfft(frames * window)[:, :, bins]
    power = spectrum.real.square() + spectrum.imag.square()
    at_periods = (power @ cosines) / (power.sum(-1, keepdim=True) + 1e-6)
    return at_periods.amax(-1).clamp(max=1.0), frames.square().mean(-1)


def voicing_apart(spoken: Tensor, target: Tensor) -> Tensor:
    """Return the mean difference in harmonicity of (batch, samples) and (batch, samples), where the latter sounds.

    The target may be another speaker's voice with the same words: sounds are voiced or not whoever speaks.
    """
    ours, _ = harmonicity(spoken)
    with torch.no_grad():
        theirs, power = harmonicity(target)
        heard = (power > LEAST_POWER).float()
    apart = functional.l1_loss(ours, theirs, reduction="none")
    return (apart * heard).sum() / heard.sum().clamp(min=1.0)
