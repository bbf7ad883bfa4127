"""A notice over a signal, as its description has it: the whole at once, from the formulas."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]


def under_notice(signal: Signal, sound: Signal, sample_rate: int, lead_in_s: float, release_s: float) -> Signal:
    """Return `signal` (channels, frames) lowered by 24 dB under `sound`, which begins after the lead-in."""
    frames = signal.shape[1]
    end = round(lead_in_s * sample_rate) + sound.size
    release = round(release_s * sample_rate)
    since_end = np.arange(frames) - end + 1
    returned = np.clip(since_end / (release + 1), 0.0, 1.0)
    low = 10.0 ** (-24.0 / 20.0)
    gain = low + (1.0 - low) * (1.0 - np.cos(np.pi * returned)) / 2.0
    laid_over = np.zeros(frames)
    stop = min(end, frames)
    start = min(end - sound.size, frames)
    laid_over[start:stop] = sound[: stop - start]
    result: Signal = signal * gain + laid_over
    return result
