"""Synthetic voices with a known pitch and known resonances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.signal

Signal = npt.NDArray[np.float64]
#: Centre and width in Hz of the resonances of an open vowel.
AH = ((700.0, 80.0), (1220.0, 90.0), (2600.0, 120.0), (3500.0, 180.0))


def vowel(
    f0_hz: float | Signal, sample_rate: int, seconds: float = 1.0, formants: Sequence[tuple[float, float]] = AH
) -> Signal:
    """Band-limited pulses through resonators, peak 0.3."""
    frames = round(seconds * sample_rate)
    contour = np.broadcast_to(np.asarray(f0_hz, np.float64), frames)
    cycles = np.cumsum(contour) / sample_rate
    signal = np.zeros(frames)
    for harmonic in range(1, int(min(0.45 * sample_rate, 10_000) / contour.max()) + 1):
        signal += np.cos(2 * np.pi * harmonic * cycles) / harmonic
    for centre, width in formants:
        if centre < 0.45 * sample_rate:
            radius = np.exp(-np.pi * width / sample_rate)
            poles = [1.0, -2 * radius * np.cos(2 * np.pi * centre / sample_rate), radius**2]
            signal = scipy.signal.lfilter([sum(poles)], poles, signal)
    return np.asarray(0.3 * signal / np.abs(signal).max())


def spectrum_peaks_db(signal: Signal, f0_hz: float, sample_rate: int, highest_hz: float = 4_000.0) -> Signal:
    """Level of every harmonic of a steady voice up to `highest_hz`."""
    windowed = signal * np.hanning(signal.size)
    spectrum = np.abs(np.fft.rfft(windowed, 1 << 18))
    step = sample_rate / (1 << 18)
    levels = []
    for harmonic in range(1, int(highest_hz / f0_hz) + 1):
        low, high = int((harmonic - 0.3) * f0_hz / step), int((harmonic + 0.3) * f0_hz / step)
        levels.append(20 * np.log10(spectrum[low:high].max() * 2 / np.hanning(signal.size).sum()))
    return np.array(levels)


def resonances_hz(signal: Signal, sample_rate: int, order: int = 10) -> Signal:
    """First three resonances by linear prediction at 10 kHz, medians over frames of 50 ms."""
    low = scipy.signal.resample_poly(signal, 10_000, sample_rate)
    low = scipy.signal.lfilter([1.0, -0.95], [1.0], low)
    found = []
    for start in range(1_000, low.size - 1_500, 250):
        frame = low[start : start + 500] * np.hamming(500)
        correlation = np.correlate(frame, frame, "full")[499 : 500 + order]
        predictor = scipy.linalg.solve_toeplitz(correlation[:-1], correlation[1:])
        poles = np.roots(np.concatenate([[1.0], -predictor]))
        poles = poles[poles.imag > 0]
        centres, widths = np.angle(poles) * 10_000 / (2 * np.pi), -np.log(np.abs(poles)) * 10_000 / np.pi
        chosen = np.sort(centres[(widths < 500) & (centres > 200)])
        if chosen.size >= 3:
            found.append(chosen[:3])
    return np.asarray(np.median(found, axis=0))
