"""Reading a ring of samples between its samples, and faster than it was written, without images or aliases."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .kernel import compiled

#: Zero crossings of the sinc to either side.
CROSSINGS: Final = 8
TAPS: Final = 2 * CROSSINGS
#: Positions between two samples; the nearest is taken, an error of -56 dB at a tenth of the rate.
PHASES: Final = 512
KAISER_BETA: Final = 7.0
PHASE_TABLE_SIZE: Final = (PHASES + 1) * TAPS


def sinc_table() -> npt.NDArray[np.float32]:
    """Return the Kaiser-windowed sinc, one side, ``PHASES`` values per zero crossing, zero at the end."""
    time = np.arange(CROSSINGS * PHASES + 1) / PHASES
    window = np.i0(KAISER_BETA * np.sqrt(1 - (time / CROSSINGS) ** 2)) / np.i0(KAISER_BETA)
    return np.asarray(np.sinc(time) * window, np.float32)


def phase_table() -> npt.NDArray[np.float32]:
    """Return ``PHASES + 1`` rows of `TAPS` weights with sum one; row p reads p / PHASES after the middle tap."""
    side = sinc_table().astype(np.float64)
    taps = np.arange(TAPS) - (CROSSINGS - 1)
    distance = np.abs(taps[None, :] * PHASES - np.arange(PHASES + 1)[:, None])
    rows = side[np.minimum(distance, side.size - 1)]
    return np.asarray(rows / rows.sum(axis=1, keepdims=True), np.float32)


@compiled
def read_between(ring: Any, mask: int, table: Any, row: int, position: int) -> float:
    """Return the signal `row` phases after `position`; the ring is kept twice in a row."""
    start = (position - (CROSSINGS - 1)) & mask
    at = row * TAPS
    even, odd = 0.0, 0.0
    for tap in range(0, TAPS, 2):
        even += table[at + tap] * ring[start + tap]
        odd += table[at + tap + 1] * ring[start + tap + 1]
    total: float = even + odd
    return total


@compiled
def read_compressed(ring: Any, mask: int, side: Any, position: float, speed: float) -> float:
    """Return the signal at `position`, low-passed for being read `speed` > 1 times as fast."""
    reach = int(CROSSINGS * speed)
    base = int(np.floor(position))
    fraction = position - base
    step = PHASES / speed
    start = (base - reach) & mask
    total, weight = 0.0, 0.0
    for tap in range(2 * reach + 1):
        tap_weight = side[min(int(abs(tap - reach - fraction) * step + 0.5), CROSSINGS * PHASES)]
        weight += tap_weight
        total += tap_weight * ring[start + tap]
    return total / weight
