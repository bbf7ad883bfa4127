"""The state-variable filter in trapezoidal form: one second-order band whose coefficients may move while it rings.

With input ``x`` and integrator states ``s1``, ``s2`` (Zavalishin, "The Art of VA Filter Design", ch. 4; Simper,
"Solving the continuous SVF equations using trapezoidal integration"):

    v1 = (s1 + g (x - s2)) / (1 + g (g + k)),   v2 = s2 + g v1,   s1' = 2 v1 - s1,   s2' = 2 v2 - s2
    y = direct x + band v1 + low v2

Why it may move: without input, ``s1'^2 + s2'^2 - s1^2 - s2^2 = -4 g k v1^2``, so the stored energy never grows,
whatever positive ``g`` and ``k`` each sample brings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .kernel import compiled
from .ramp import FRAMES_LEFT, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget

#: What a band needs of `settings`, in this order.
G, K, DIRECT, BAND, LOW = range(5)
BAND_SETTINGS = 5
STATES_PER_CHANNEL = 2
#: Higher cutoffs are moved down to this part of the sample rate: the bilinear transform ends at one half.
HIGHEST_CUTOFF_RATIO = 0.49
SILENCE = 1e-6
TYPES = ("lowpass", "highpass", "bandpass", "notch", "peak", "low_shelf", "high_shelf")


def prewarped(cutoff_hz: float, sample_rate: float) -> float:
    """Return ``tan(pi f / sample_rate)`` with the cutoff held below `HIGHEST_CUTOFF_RATIO` of the rate."""
    return math.tan(math.pi * min(cutoff_hz / sample_rate, HIGHEST_CUTOFF_RATIO))


def svf_coefficients(band_type: str, cutoff_hz: float, q: float, gain_db: float, sample_rate: float) -> list[float]:
    """Return the `BAND_SETTINGS` numbers of a band whose response is that of R. Bristow-Johnson's cookbook.

    Parameters
    ----------
    band_type
        One of `TYPES`; the bandpass has 0 dB at its peak.
    cutoff_hz
        Corner, centre or shelf midpoint, held below 0.49 of the sample rate.
    q
        Quality, above 0.
    gain_db
        Of peak and shelves; the others ignore it.
    sample_rate
        Hz.
    """
    g, k = prewarped(cutoff_hz, sample_rate), 1.0 / q
    amplitude = 10.0 ** (gain_db / 40.0)
    if band_type == "peak":
        k /= amplitude
        return [g, k, 1.0, k * (amplitude**2 - 1.0), 0.0]
    if band_type == "low_shelf":
        return [g / math.sqrt(amplitude), k, 1.0, k * (amplitude - 1.0), amplitude**2 - 1.0]
    if band_type == "high_shelf":
        mix = [amplitude**2, k * (1.0 - amplitude) * amplitude, 1.0 - amplitude**2]
        return [g * math.sqrt(amplitude), k, *mix]
    mixes = {
        "lowpass": [0.0, 0.0, 1.0],
        "highpass": [1.0, -k, -1.0],
        "bandpass": [0.0, k, 0.0],
        "notch": [1.0, -k, 0.0],
    }
    return [g, k, *mixes[band_type]]


def is_flat(coefficients: Sequence[float]) -> bool:
    """Whether the band lets every sample through unchanged."""
    return coefficients[DIRECT] == 1.0 and coefficients[BAND] == 0.0 and coefficients[LOW] == 0.0


def svf_memory(coefficients: Sequence[float], channels: int) -> list[float]:
    """Return a band's initial memory: five resting ramps, then two states for each channel."""
    ramps = [number for value in coefficients for number in ramp_memory(value)]
    return ramps + [0.0] * (STATES_PER_CHANNEL * channels)


@compiled
def svf_memory_size(channels: int) -> int:
    """Return the length of `svf_memory`."""
    return BAND_SETTINGS * RAMP_SIZE + STATES_PER_CHANNEL * channels


def svf_tail_frames(bands: Sequence[Sequence[float]]) -> int:
    """Return after how many silent frames a cascade of bands is below -120 dBFS, whatever full-scale input it had.

    The sum of what is left of each impulse response bounds the output: for a cascade,
    ``rest(n1 + n2 + ...) <= sum_i rest_i(n_i) * product_{j != i} norm_j``.
    """
    ringing = [_decay(band) for band in bands if not is_flat(band)]
    loudest = math.prod(norm for _, _, norm in ringing)
    frames = 0
    for radius, rest, norm in ringing:
        allowed = SILENCE * norm / (len(ringing) * loudest)
        frames += max(0, math.ceil(math.log(allowed / rest) / math.log(radius)))
    return frames


def _decay(coefficients: Sequence[float]) -> tuple[float, float, float]:
    """Return the pole radius r, R and a bound of sum |h|, where what follows frame n of |h| sums to at most R r^n."""
    g, k, direct, band, low = coefficients
    k = k if abs(k - 2.0) > 1e-3 else 2.001  # equal poles have no eigenvectors; these differ by nothing audible
    a1 = 1.0 / (1.0 + g * (g + k))
    v1, v2 = np.array([a1, -g * a1]), np.array([g * a1, 1.0 - g * g * a1])
    step = np.array([2.0 * v1 - [1.0, 0.0], 2.0 * v2 - [0.0, 1.0]])
    entry = np.array([2.0 * g * a1, 2.0 * g * g * a1])
    poles, vectors = np.linalg.eig(step)
    weights = np.abs(((band * v1 + low * v2) @ vectors) * np.linalg.solve(vectors, entry.astype(complex)))
    radii = np.abs(poles)
    rest = max(float(np.sum(weights / (1.0 - radii))), SILENCE)
    return float(radii.max()), rest, rest + abs(direct + band * g * a1 + low * g * g * a1)


@compiled
def svf_step(x: float, s1: float, s2: float, g: float, a1: float) -> Any:
    """Advance one sample; returns v1, v2 and the new states. `a1` is ``1 / (1 + g (g + k))``."""
    v1 = a1 * (s1 + g * (x - s2))
    v2 = s2 + g * v1
    return v1, v2, 2.0 * v1 - s1, 2.0 * v2 - s2


@compiled
def svf_band(
    settings: Any, at: int, ramp_frames: float, memory: Any, base: int, x: Any, y: Any, channels: int, frames: int
) -> None:
    """Filter x into y (which may be x) with the band at ``settings[at:]`` whose memory starts at `base`."""
    longest = 0.0
    for index in range(BAND_SETTINGS):
        ramp = base + index * RAMP_SIZE
        ramp_retarget(memory, ramp, settings[at + index], ramp_frames)
        longest = max(longest, memory[ramp + FRAMES_LEFT])
    moving = min(frames, math.ceil(longest))
    states = base + BAND_SETTINGS * RAMP_SIZE
    if moving > 0:
        _moving_band(memory, base, states, x, y, channels, moving)
    if moving < frames:
        _resting_band(settings, at, memory, states, x, y, channels, moving, frames)


@compiled
def _moving_band(memory: Any, base: int, states: int, x: Any, y: Any, channels: int, stop: int) -> None:
    for frame in range(stop):
        g = ramp_next(memory, base)
        k = ramp_next(memory, base + K * RAMP_SIZE)
        direct = ramp_next(memory, base + DIRECT * RAMP_SIZE)
        band = ramp_next(memory, base + BAND * RAMP_SIZE)
        low = ramp_next(memory, base + LOW * RAMP_SIZE)
        a1 = 1.0 / (1.0 + g * (g + k))
        for channel in range(channels):
            at = states + STATES_PER_CHANNEL * channel
            sample = np.float64(x[channel, frame])
            v1, v2, memory[at], memory[at + 1] = svf_step(sample, memory[at], memory[at + 1], g, a1)
            y[channel, frame] = direct * sample + band * v1 + low * v2


@compiled
def _resting_band(
    settings: Any, at: int, memory: Any, states: int, x: Any, y: Any, channels: int, start: int, stop: int
) -> None:
    g, k, direct = settings[at + G], settings[at + K], settings[at + DIRECT]
    band, low = settings[at + BAND], settings[at + LOW]
    if direct == 1.0 and band == 0.0 and low == 0.0:
        # A band that fades in again starts from rest, and its share of the sound from nothing.
        for state in range(states, states + STATES_PER_CHANNEL * channels):
            memory[state] = 0.0
        if x.ctypes.data != y.ctypes.data:
            for channel in range(channels):
                for frame in range(start, stop):
                    y[channel, frame] = x[channel, frame]
        return
    step = _multiplied_out(g, k, direct, band, low)
    for channel in range(0, channels - 1, 2):
        _two_channels(step, memory, states + STATES_PER_CHANNEL * channel, x, y, channel, start, stop)
    if channels % 2 == 1:
        last = channels - 1
        _one_channel(step, memory, states + STATES_PER_CHANNEL * last, x, y, last, start, stop)


@compiled
def _multiplied_out(g: float, k: float, direct: float, band: float, low: float) -> Any:
    """Return `svf_step` and the mix of its outputs as nine factors; so the way from state to state is short.

    ``s1' = f0 x + f1 s1 + f2 s2``, ``s2' = f3 x + f4 s1 + f5 s2`` and ``y = f6 x + f7 s1 + f8 s2``.
    """
    a1 = 1.0 / (1.0 + g * (g + k))
    a2 = g * a1
    a3 = g * a2
    return (
        2.0 * a2,
        2.0 * a1 - 1.0,
        -2.0 * a2,
        2.0 * a3,
        2.0 * a2,
        1.0 - 2.0 * a3,
        direct + band * a2 + low * a3,
        band * a1 + low * a2,
        low * (1.0 - a3) - band * a2,
    )


@compiled
def _one_channel(factors: Any, memory: Any, at: int, x: Any, y: Any, channel: int, start: int, stop: int) -> None:
    f0, f1, f2, f3, f4, f5, f6, f7, f8 = factors
    s1, s2 = memory[at], memory[at + 1]
    for frame in range(start, stop):
        sample = np.float64(x[channel, frame])
        y[channel, frame] = f6 * sample + f7 * s1 + f8 * s2
        s1, s2 = f0 * sample + f1 * s1 + f2 * s2, f3 * sample + f4 * s1 + f5 * s2
    memory[at], memory[at + 1] = s1, s2


@compiled
def _two_channels(factors: Any, memory: Any, at: int, x: Any, y: Any, channel: int, start: int, stop: int) -> None:
    """Work two channels side by side: their recursions overlap in the processor."""
    f0, f1, f2, f3, f4, f5, f6, f7, f8 = factors
    s1, s2, t1, t2 = memory[at], memory[at + 1], memory[at + 2], memory[at + 3]
    for frame in range(start, stop):
        sample, other = np.float64(x[channel, frame]), np.float64(x[channel + 1, frame])
        y[channel, frame] = f6 * sample + f7 * s1 + f8 * s2
        y[channel + 1, frame] = f6 * other + f7 * t1 + f8 * t2
        s1, s2 = f0 * sample + f1 * s1 + f2 * s2, f3 * sample + f4 * s1 + f5 * s2
        t1, t2 = f0 * other + f1 * t1 + f2 * t2, f3 * other + f4 * t1 + f5 * t2
    memory[at], memory[at + 1], memory[at + 2], memory[at + 3] = s1, s2, t1, t2
