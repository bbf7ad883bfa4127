"""Peak and power of what goes in and out, and the histogram of callback times; compiled, no allocation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray

from vcfx_dsp.core.kernel import compiled
from vcfx_dsp.core.native import as_pointer

from .cells import BINS_PER_OCTAVE, HISTOGRAM_SIZE

_PEAK_FALL_S = 0.6
_POWER_S = 0.3


@compiled
def measure(gauges: Any, peak_at: int, block: Any, frames: int, sample_rate: int) -> None:
    """Update a peak (falls by 1/e in 0.6 s) and the power after it (300 ms mean). Thread: audio."""
    peak, power = 0.0, 0.0
    for channel in range(block.shape[0]):
        for frame in range(frames):
            sample = block[channel, frame]
            magnitude = abs(sample)
            peak = max(peak, magnitude)
            power += sample * sample
    if frames == 0:
        return
    seconds = frames / sample_rate
    held = gauges[peak_at] * max(0.0, 1.0 - seconds / _PEAK_FALL_S)
    gauges[peak_at] = max(peak, held)
    weight = min(1.0, seconds / _POWER_S)
    gauges[peak_at + 1] += weight * (power / (frames * block.shape[0]) - gauges[peak_at + 1])


@compiled
def count_duration(histogram: int, duration_ns: int) -> None:
    """Add one duration to a logarithmic histogram. Thread: audio."""
    bins = carray(as_pointer(histogram), (HISTOGRAM_SIZE,), np.int64)
    index = int(math.log2(max(duration_ns, 1)) * BINS_PER_OCTAVE)
    bins[min(max(index, 0), HISTOGRAM_SIZE - 1)] += 1
