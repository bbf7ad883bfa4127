"""The vocoder's bands: where they lie, their filters, and how strong each carrier is in each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Carrier = Literal["sawtooth", "pulse", "noise"]
Floats = npt.NDArray[np.float64]
LOWEST_HZ, HIGHEST_HZ = 100.0, 8_000.0
HIGHEST_RATE_RATIO = 0.45
TREBLE_HZ = 3_000.0
#: A band without a harmonic of its own is lifted no further than this against the carrier's even spread.
_POOREST_BAND = 0.03


@dataclass(frozen=True, slots=True)
class BandDesign:
    """Bands of two equal bandpass biquads ``b0 (1 - z^-2) / (1 + a1 z^-1 + a2 z^-2)`` each.

    Parameters
    ----------
    sample_rate
        Hz.
    centres_hz, widths_hz
        Middle of each band and distance of its -3 dB points.
    b0, a1, a2
        Coefficients for each band.
    overlap
        Sum of the bands' power gains, averaged inside their range.
    treble_hz
        Bands from here up may carry noise.
    ring_s
        Time constant of the slowest filter.
    """

    sample_rate: int
    centres_hz: Floats
    widths_hz: Floats
    b0: Floats
    a1: Floats
    a2: Floats
    overlap: float
    treble_hz: float
    ring_s: float


def design_bands(bands: int, sample_rate: int) -> BandDesign:
    """Lay `bands` bands evenly in pitch; the bandpass is that of R. Bristow-Johnson's cookbook, 0 dB at the peak."""
    highest_hz = min(HIGHEST_HZ, HIGHEST_RATE_RATIO * sample_rate)
    edges = np.geomspace(LOWEST_HZ, highest_hz, bands + 1)
    centres = np.sqrt(edges[:-1] * edges[1:])
    widths = np.diff(edges)
    quality = math.sqrt(10.0**0.15 - 1.0) * centres / widths  # two biquads, each 1.5 dB down at the edges
    omega = 2.0 * np.pi * centres / sample_rate
    alpha = np.sin(omega) / (2.0 * quality)
    b0, a1, a2 = alpha / (1.0 + alpha), -2.0 * np.cos(omega) / (1.0 + alpha), (1.0 - alpha) / (1.0 + alpha)
    inside = np.geomspace(float(centres[0]), float(centres[-1]), 512, dtype=np.float64)
    overlap = float(_power_gains(b0, a1, a2, inside, sample_rate).sum(axis=0).mean())
    ring_s = float((-1.0 / (np.log(np.sqrt(a2)) * sample_rate)).max())
    return BandDesign(sample_rate, centres, widths, b0, a1, a2, overlap, min(TREBLE_HZ, 0.5 * highest_hz), ring_s)


def tone_gains(design: BandDesign, carrier: Carrier, pitch_hz: float) -> list[float]:
    """Return what brings each band of a carrier to power 1."""
    if carrier == "noise":
        return noise_gains(design)
    harmonics = np.arange(1, max(int(0.5 * design.sample_rate / pitch_hz), 1) + 1)
    powers = 2.0 / (np.pi * harmonics) ** 2  # a sawtooth's: amplitude 2 / (pi k)
    if carrier == "pulse":  # its difference from frame to frame
        powers *= (2.0 * np.sin(np.pi * harmonics * pitch_hz / design.sample_rate)) ** 2
    gains = _power_gains(design.b0, design.a1, design.a2, harmonics * pitch_hz, design.sample_rate)
    nearest = np.interp(design.centres_hz, harmonics * pitch_hz, powers)
    even_spread = nearest * design.widths_hz / pitch_hz
    return [float(gain) for gain in 1.0 / np.sqrt(np.maximum(gains @ powers, _POOREST_BAND * even_spread))]


def noise_gains(design: BandDesign) -> list[float]:
    """Return what brings each band of even noise from -1 to 1 to power 1."""
    frequencies_hz = np.linspace(0.0, 0.5 * design.sample_rate, 8_193)
    shares = _power_gains(design.b0, design.a1, design.a2, frequencies_hz, design.sample_rate).mean(axis=1)
    return [float(gain) for gain in 1.0 / np.sqrt(shares / 3.0)]


def _power_gains(
    b0: Floats, a1: Floats, a2: Floats, frequencies_hz: npt.NDArray[np.floating], sample_rate: int
) -> Floats:
    """Both biquads' power gain, (bands, frequencies)."""
    back = np.exp(-2j * np.pi * frequencies_hz / sample_rate)
    response = b0[:, None] * (1.0 - back**2) / (1.0 + a1[:, None] * back + a2[:, None] * back**2)
    return np.asarray(np.abs(response) ** 4, np.float64)
