"""Windowed-sinc resampling written out: every output sample is one sum over the whole input, in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy.special import i0

Signal = npt.NDArray[np.float64]

# pass edge and stop edge as shares of the lower Nyquist frequency, stop-band depth
EDGES = {"fast": (0.8, 1.2, 95.0), "standard": (0.9, 1.0, 105.0), "high": (0.95, 1.0, 125.0)}


@dataclass(frozen=True)
class LowPass:
    half_width: int
    cutoff: float
    beta: float

    def __call__(self, distance: Signal) -> Signal:
        root = np.sqrt(np.clip(1.0 - np.square(distance / self.half_width), 0.0, None))
        window = i0(self.beta * root) / i0(self.beta)
        window[np.abs(distance) >= self.half_width] = 0.0
        angle = 2.0 * np.pi * self.cutoff * distance
        safe = np.where(angle == 0.0, 1.0, angle)
        response: Signal = 2.0 * self.cutoff * np.where(angle == 0.0, 1.0, np.sin(safe) / safe) * window
        return response


def low_pass(rate_in_hz: int, rate_out_hz: int, quality: str) -> LowPass:
    """Kaiser's design for the lower Nyquist frequency, in input frames; half-width rounded up to a multiple of 4."""
    pass_edge, stop_edge, depth_db = EDGES[quality]
    nyquist = min(rate_in_hz, rate_out_hz) / 2.0 / rate_in_hz
    order = (depth_db - 7.95) / (2.285 * 2.0 * math.pi * (stop_edge - pass_edge) * nyquist)
    half_width = 4 * math.ceil((order + 1.0) / 8.0)
    return LowPass(half_width, (pass_edge + stop_edge) / 2.0 * nyquist, 0.1102 * (depth_db - 8.7))


def value_at(signal: Signal, times: Signal, response: LowPass) -> Signal:
    """Return the band-limited signal at times in frames; silence lies outside."""
    frames = np.arange(signal.size)
    return np.array([np.sum(signal * response(time - frames)) for time in times])


def resampled(signal: Signal, rate_in_hz: int, rate_out_hz: int, quality: str, count: int, delay: int) -> Signal:
    """Return `count` output frames; frame n is the input at ``(n - delay) * rate_in / rate_out``."""
    ratio = Fraction(rate_in_hz, rate_out_hz)
    times = np.array([float((n - delay) * ratio) for n in range(count)])
    return value_at(signal, times, low_pass(rate_in_hz, rate_out_hz, quality))
