"""Slow grain overlap-add, from the formulas: smooth-step windows, windowed-sinc reading in float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]
CROSSINGS, KAISER_BETA = 8, 7.0


@dataclass(frozen=True)
class Grain:
    centre: float
    offset: float
    speed: float
    left: float
    right: float
    amplitude: float


def smooth_step(ratio: Signal) -> Signal:
    clipped = np.clip(ratio, 0, 1)
    return clipped**2 * (3 - 2 * clipped)


def window(grain: Grain, time: Signal) -> Signal:
    since = time - grain.centre
    rising, falling = smooth_step(1 + since / grain.left), smooth_step(1 - since / grain.right)
    return grain.amplitude * np.where(since < 0, rising, falling)


def read(signal: Signal, position: float, speed: float) -> float:
    """Band-limited value of `signal` at a position between samples, cut off at 1 / speed of its bandwidth."""
    stretch = max(speed, 1.0)
    index = np.arange(int(position - CROSSINGS * stretch) - 1, int(position + CROSSINGS * stretch) + 2)
    time = (index - position) / stretch
    kernel = np.sinc(time) * np.i0(KAISER_BETA * np.sqrt(np.maximum(1 - (time / CROSSINGS) ** 2, 0)))
    kernel[np.abs(time) > CROSSINGS] = 0
    known = (index >= 0) & (index < signal.size)
    return float(np.where(known, signal[np.clip(index, 0, signal.size - 1)], 0) @ kernel / kernel.sum())


def overlap_add(signal: Signal, grains: Sequence[Grain], times: npt.NDArray[np.int64]) -> Signal:
    out = np.zeros(times.size)
    for grain in grains:
        weights = window(grain, times.astype(np.float64))
        for place in np.flatnonzero(weights > 0):
            position = grain.centre + grain.offset + grain.speed * (times[place] - grain.centre)
            out[place] += weights[place] * read(signal, position, grain.speed)
    return out
