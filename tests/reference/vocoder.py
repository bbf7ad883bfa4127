"""Channel vocoder over whole signals: scipy's filters, one band at a time, parameters at rest."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.signal import freqz, lfilter

Signal = npt.NDArray[np.float64]


def band_filters(bands: int, rate_hz: int) -> list[tuple[list[float], list[float]]]:
    edges = 100.0 * (min(8_000.0, 0.45 * rate_hz) / 100.0) ** (np.arange(bands + 1) / bands)
    filters = []
    for low, high in pairwise(edges):
        centre = np.sqrt(low * high)
        omega = 2 * np.pi * centre / rate_hz
        alpha = np.sin(omega) * (high - low) / centre / (2 * np.sqrt(10**0.15 - 1))
        b = [alpha / (1 + alpha), 0.0, -alpha / (1 + alpha)]
        filters.append((b, [1.0, -2 * np.cos(omega) / (1 + alpha), (1 - alpha) / (1 + alpha)]))
    return filters


def sawtooth(frequency_hz: float, frames: int, rate_hz: int) -> Signal:
    """A naive sawtooth, its jumps smoothed by the two-sample polynomial residual."""
    step = frequency_hz / rate_hz
    phase = np.mod(step * np.arange(1, frames + 1), 1.0)
    wave = 2 * phase - 1
    after, before = phase < step, phase > 1 - step
    wave[after] += (phase[after] / step - 1) ** 2
    wave[before] -= ((phase[before] - 1) / step + 1) ** 2
    return np.asarray(wave, np.float64)


def random_row(frames: int, seed: int) -> Signal:
    """The linear congruential row in exact integers."""
    values = []
    for _ in range(frames):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        top = seed >> 32
        values.append((top - 2**32 if top >= 2**31 else top) / 2**31)
    return np.array(values)


def smoothed(values: Signal, coefficient: float) -> Signal:
    return np.asarray(lfilter([coefficient], [1.0, coefficient - 1.0], values), np.float64)


@dataclass(frozen=True)
class Setting:
    carrier: str
    pitch_hz: float
    bands: int
    attack_ms: float
    release_ms: float
    rate_hz: int
    seed: int


def vocoder(signal: Signal, setting: Setting) -> Signal:
    """One channel, fully wet, no unvoiced part."""
    rate_hz, frames = setting.rate_hz, len(signal)
    filters = band_filters(setting.bands, rate_hz)
    saw = sawtooth(setting.pitch_hz, frames, rate_hz)
    carriers = {
        "sawtooth": saw,
        "pulse": -np.diff(saw, prepend=0.0),
        "noise": random_row(frames, setting.seed),
    }
    attack, release, level = (1 - np.exp(-1e3 / (ms * rate_hz)) for ms in (setting.attack_ms, setting.release_ms, 30.0))
    wet, in_power = np.zeros(frames), np.zeros(frames)
    for index, (b, a) in enumerate(filters):
        voice_band, carrier_band = (lfilter(b, a, lfilter(b, a, x)) for x in (signal, carriers[setting.carrier]))
        envelope = np.zeros(frames)
        value = 0.0
        for n, magnitude in enumerate(np.abs(voice_band)):
            value += (attack if magnitude > value else release) * (magnitude - value)
            envelope[n] = value
        wet += (-1) ** index * envelope * carrier_band / np.sqrt(expected_power(setting, b, a, index))
        in_power += voice_band**2
    powers = smoothed(in_power / overlap(filters, setting), level), smoothed(wet**2, level)
    ratio = np.sqrt(powers[0] / np.maximum(powers[1], 1e-30))
    return wet * np.where(powers[1] < 1e-16, 1.0, np.clip(ratio, 0.25, 4.0))


def centres_hz(setting: Setting) -> Signal:
    highest = min(8_000.0, 0.45 * setting.rate_hz)
    return np.asarray(100.0 * (highest / 100.0) ** ((np.arange(setting.bands) + 0.5) / setting.bands), np.float64)


def overlap(filters: list[tuple[list[float], list[float]]], setting: Setting) -> float:
    centres = centres_hz(setting)
    grid = np.geomspace(centres[0], centres[-1], 2_000)
    total = sum(np.abs(freqz(b, a, worN=grid, fs=setting.rate_hz)[1]) ** 4 for b, a in filters)
    return float(np.mean(total))


def expected_power(setting: Setting, b: list[float], a: list[float], index: int) -> float:
    """Power of the carrier's harmonics (or noise) behind two of these filters."""
    rate_hz, pitch_hz = setting.rate_hz, setting.pitch_hz
    if setting.carrier == "noise":
        return float(np.mean(np.abs(freqz(b, a, worN=20_000, fs=rate_hz)[1]) ** 4) / 3)
    total, centre = 0.0, centres_hz(setting)[index]
    strengths = []
    for k in range(1, int(rate_hz / 2 / pitch_hz) + 1):
        amplitude = 2 / (np.pi * k)
        if setting.carrier == "pulse":
            amplitude *= abs(1 - np.exp(-2j * np.pi * k * pitch_hz / rate_hz))
        strengths.append(amplitude**2 / 2)
        total += strengths[-1] * abs(freqz(b, a, worN=[k * pitch_hz], fs=rate_hz)[1][0]) ** 4
    spread = np.interp(centre, pitch_hz * np.arange(1, len(strengths) + 1), strengths)
    width = centre * 2 * np.sinh(np.log(min(8_000.0, 0.45 * rate_hz) / 100.0) / setting.bands / 2)
    return float(max(total, 0.03 * spread * width / pitch_hz))
