"""How high a signal rises between its samples: four-fold interpolation, as ITU-R BS.1770-4 annex 2 asks for.

The interpolator is a Kaiser-windowed sinc of 24 taps for each of three phases; its error is below 0.1 dB up to 0.42
of the sample rate and 0.15 dB up to 0.45. The four-fold points miss a peak between them by up to 0.55 dB (at 0.45);
a parabola through three of them brings that below 0.05 dB.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .kernel import compiled

PHASES = 4
TAPS_PER_SIDE = 12
TAPS = 2 * TAPS_PER_SIDE
KAISER_BETA = 3.75
#: What a tracker keeps for each channel in `memory`: the last two interpolated points.
TRACKED = 2


def interpolator_taps() -> npt.NDArray[np.float64]:
    """Return the taps (3, `TAPS`) for one, two and three quarters of a sample after the window's twelfth sample."""
    phase = np.arange(1, PHASES)[:, None] / PHASES
    distance = phase - np.arange(1 - TAPS_PER_SIDE, TAPS_PER_SIDE + 1)
    window = np.i0(KAISER_BETA * np.sqrt(1.0 - (distance / TAPS_PER_SIDE) ** 2)) / np.i0(KAISER_BETA)
    taps = np.sinc(distance) * window
    return np.asarray(taps / taps.sum(axis=1, keepdims=True))


def largest_rise() -> float:
    """Return a bound of the interpolated peak of samples within plus and minus 1, parabola included."""
    return 1.125 * float(np.abs(interpolator_taps()).sum(axis=1).max())


@compiled
def _vertex(before: float, middle: float, after: float) -> float:
    """Return the height of the parabola through three points if it peaks at the middle one, else the middle's."""
    a, b, c = abs(before), abs(middle), abs(after)
    if b < a or b < c or before * after <= 0.0 or a + c >= 2.0 * b:
        return b
    return b + (a - c) ** 2 / (8.0 * (2.0 * b - a - c))


@compiled
def next_peak(window: Any, start: int, taps: Any, taps_at: int, memory: Any, at: int) -> float:
    """Return the peak around sample ``window[start + 11]`` of the `TAPS` samples from `start`; call for each sample.

    It covers a quarter of a sample before to half a sample after by parabolas, and the point at three quarters.
    ``taps[taps_at:]`` are `interpolator_taps`, ``memory[at:]`` the tracker's last points.
    """
    first, second, third = 0.0, 0.0, 0.0
    for tap in range(TAPS):
        sample = np.float64(window[start + tap])
        first += sample * taps[taps_at + tap]
        second += sample * taps[taps_at + TAPS + tap]
        third += sample * taps[taps_at + 2 * TAPS + tap]
    centre = np.float64(window[start + TAPS_PER_SIDE - 1])
    peak = max(_vertex(memory[at], memory[at + 1], centre), _vertex(memory[at + 1], centre, first))
    peak = max(peak, max(_vertex(centre, first, second), _vertex(first, second, third)))
    memory[at], memory[at + 1] = second, third
    return max(peak, abs(third))
