"""How high a signal rises between its samples: four-fold interpolation, as ITU-R BS.1770-4 annex 2 asks for.

The interpolator is a Kaiser-windowed sinc of 24 taps for each of three phases; its error is below 0.1 dB up to 0.42
of the sample rate and 0.15 dB up to 0.45. The four-fold points miss a peak between them by up to 0.55 dB (at 0.45);
a parabola through three of them brings that below 0.05 dB.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .fir import correlate
from .kernel import compiled

PHASES = 4
TAPS_PER_SIDE = 12
TAPS = 2 * TAPS_PER_SIDE
KAISER_BETA = 3.75
#: Most frames that one call examines.
ROW_FRAMES = 64
#: A tracker keeps three rows of interpolated points; before the first of each row stands the last of the row before.
_ROW = ROW_FRAMES + 1
TRACKER_SIZE = (PHASES - 1) * _ROW


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


_TAPS = interpolator_taps()


@compiled
def _vertex(before: float, middle: float, after: float) -> float:
    """Return the height of the parabola through three points if it peaks at the middle one, else the middle's."""
    a, b, c = abs(before), abs(middle), abs(after)
    curve = 2.0 * b - a - c
    stands_out = (b >= a) & (b >= c) & (before * after > 0.0) & (curve > 0.0)
    rise = (a - c) * (a - c) / (8.0 * curve)
    return b + (rise if stands_out else 0.0)


@compiled
def raise_to_peaks(window: Any, start: int, frames: int, memory: Any, at: int, row: int) -> None:
    """Raise ``memory[row:]`` to the peaks around the samples from ``window[start + 11]`` on, at most `ROW_FRAMES`.

    A peak covers a quarter of a sample before to half a sample after by parabolas, and the point at three quarters.
    The tracker at ``memory[at:]`` carries the last points on to the next call.
    """
    for phase in range(PHASES - 1):
        correlate(window, start, _TAPS, phase, memory, at + phase * _ROW + 1, frames)
    centres, peaks = window[start + TAPS_PER_SIDE - 1 :], memory[row : row + frames]
    firsts, seconds, thirds = memory[at : at + _ROW], memory[at + _ROW : at + 2 * _ROW], memory[at + 2 * _ROW :]
    for frame in range(frames):
        centre, first, second = np.float64(centres[frame]), firsts[frame + 1], seconds[frame + 1]
        third, last = thirds[frame + 1], thirds[frame]
        peak = max(_vertex(seconds[frame], last, centre), _vertex(last, centre, first))
        peak = max(peak, max(_vertex(centre, first, second), _vertex(first, second, third)))
        peaks[frame] = max(peaks[frame], max(peak, abs(third)))
    memory[at + _ROW] = memory[at + _ROW + frames]
    memory[at + 2 * _ROW] = memory[at + 2 * _ROW + frames]


@compiled
def forget_peaks(memory: Any, at: int) -> None:
    """Let the tracker begin anew, as after silence."""
    memory[at + _ROW] = 0.0
    memory[at + 2 * _ROW] = 0.0
