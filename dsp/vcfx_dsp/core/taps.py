"""Sums over filter taps, at addresses so that the loops vectorise."""

from __future__ import annotations

import numpy as np
from numba import carray, njit

from .kernel import compiled
from .native import as_pointer


# Strict order forbids a vector reduction. With `reassoc` the order is chosen once, at compile time: any partition
# of a signal still gives the same bits, and tests/test_resampler.py bounds the error.
@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})  # type: ignore[untyped-decorator]
def inner_product(first: int, second: int, count: int) -> np.float32:
    """Return the sum of products of two float32 vectors at addresses."""
    a = carray(as_pointer(first), (count,), np.float32)
    b = carray(as_pointer(second), (count,), np.float32)
    total = np.float32(0.0)
    for index in range(count):
        total += a[index] * b[index]
    return total


@compiled
def blend_taps(cubics: int, t: float, row: int, taps: int) -> None:
    """Write to `row` the taps that the (4, taps) polynomials at `cubics` give at `t`."""
    constant = carray(as_pointer(cubics), (taps,), np.float32)
    linear = carray(as_pointer(cubics + 4 * taps), (taps,), np.float32)
    square = carray(as_pointer(cubics + 8 * taps), (taps,), np.float32)
    cube = carray(as_pointer(cubics + 12 * taps), (taps,), np.float32)
    out = carray(as_pointer(row), (taps,), np.float32)
    position = np.float32(t)
    for tap in range(taps):
        out[tap] = constant[tap] + position * (linear[tap] + position * (square[tap] + position * cube[tap]))


@compiled
def move_frames(source: int, source_stride: int, target: int, target_stride: int, channels: int, frames: int) -> None:
    """Copy (channels, frames) of float32 between addresses; strides in floats. The target may overlap from below."""
    for channel in range(channels):
        x = carray(as_pointer(source + 4 * channel * source_stride), (frames,), np.float32)
        y = carray(as_pointer(target + 4 * channel * target_stride), (frames,), np.float32)
        for frame in range(frames):
            y[frame] = x[frame]
