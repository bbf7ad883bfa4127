"""A streaming low-pass and decimator for mono analysis signals, down to 8 to 16 kHz."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .kernel import compiled

#: The decimated rate is the largest sample_rate / n that does not fall below this.
LOWEST_ANALYSIS_RATE_HZ = 10_600.0
#: The filter reaches this many decimated samples to either side; also its delay.
HALF_LENGTH = 4
CUTOFF_RATIO = 0.34  # of the decimated rate


def decimation(sample_rate: float) -> int:
    """Return how many samples become one: 1 below 21.2 kHz, 4 at 44.1 and 48 kHz, 18 at 192 kHz."""
    return max(1, int(sample_rate / LOWEST_ANALYSIS_RATE_HZ))


def decimator_delay_samples(factor: int) -> int:
    """Return the filter's delay in input samples."""
    return HALF_LENGTH * factor


def decimator_taps(factor: int) -> npt.NDArray[np.float64]:
    """Return a Hann-windowed sinc of ``2 * HALF_LENGTH * factor + 1`` taps with sum one."""
    time = np.arange(-HALF_LENGTH * factor, HALF_LENGTH * factor + 1) / factor
    window = 0.5 + 0.5 * np.cos(np.pi * time / (HALF_LENGTH + 1 / factor))
    taps = np.sinc(2 * CUTOFF_RATIO * time) * window
    result: npt.NDArray[np.float64] = taps / taps.sum()
    return result


@compiled
def store_twice(ring: Any, size: int, position: int, value: float) -> None:
    """Write into a ring kept twice in a row, so that any window up to `size` long lies in one piece."""
    slot = position if position < size else position % size
    ring[slot] = value
    ring[slot + size] = value


@compiled
def window_start(size: int, end: int, length: int) -> int:
    """Return where the window of `length` samples before position `end` starts in such a ring."""
    return (end - length) % size


@compiled
def filtered_at(ring: Any, taps: Any, size: int, end: int) -> float:
    """Return the low-passed signal at the window that ends before `end`."""
    start = window_start(size, end, size)
    even, odd = taps[size - 1] * ring[start + size - 1], 0.0
    for index in range(0, size - 1, 2):
        even += taps[index] * ring[start + index]
        odd += taps[index + 1] * ring[start + index + 1]
    total: float = even + odd
    return total
