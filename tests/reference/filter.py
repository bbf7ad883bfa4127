"""The biquads of R. Bristow-Johnson's "Cookbook formulae for audio equalizer biquad filter coefficients"."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import freqz, lfilter

Array = npt.NDArray[np.float64]
Band = tuple[str, float, float, float]  # type, cutoff_hz, q, gain_db


def cookbook(band: Band, sample_rate: float) -> tuple[Array, Array]:
    band_type, cutoff_hz, q, gain_db = band
    w0 = 2 * np.pi * min(cutoff_hz, 0.49 * sample_rate) / sample_rate
    cos, alpha = np.cos(w0), np.sin(w0) / (2 * q)
    amp = 10 ** (gain_db / 40)
    root = 2 * np.sqrt(amp) * alpha
    up, down = amp + 1, amp - 1
    numerator, denominator = {
        "lowpass": ([(1 - cos) / 2, 1 - cos, (1 - cos) / 2], [1 + alpha, -2 * cos, 1 - alpha]),
        "highpass": ([(1 + cos) / 2, -(1 + cos), (1 + cos) / 2], [1 + alpha, -2 * cos, 1 - alpha]),
        "bandpass": ([alpha, 0, -alpha], [1 + alpha, -2 * cos, 1 - alpha]),
        "notch": ([1, -2 * cos, 1], [1 + alpha, -2 * cos, 1 - alpha]),
        "peak": ([1 + alpha * amp, -2 * cos, 1 - alpha * amp], [1 + alpha / amp, -2 * cos, 1 - alpha / amp]),
        "low_shelf": (
            [amp * (up - down * cos + root), 2 * amp * (down - up * cos), amp * (up - down * cos - root)],
            [up + down * cos + root, -2 * (down + up * cos), up + down * cos - root],
        ),
        "high_shelf": (
            [amp * (up + down * cos + root), -2 * amp * (down + up * cos), amp * (up + down * cos - root)],
            [up - down * cos + root, 2 * (down - up * cos), up - down * cos - root],
        ),
    }[band_type]
    return np.array(numerator) / denominator[0], np.array(denominator) / denominator[0]


def filtered(signal: npt.ArrayLike, bands: list[Band], sample_rate: float) -> Array:
    out = np.asarray(signal, np.float64)
    for band in bands:
        out = lfilter(*cookbook(band, sample_rate), out, axis=-1)
    return out


def response_db(bands: list[Band], at_hz: npt.ArrayLike, sample_rate: float) -> Array:
    total = np.ones(np.shape(at_hz), complex)
    for band in bands:
        total = total * freqz(*cookbook(band, sample_rate), worN=at_hz, fs=sample_rate)[1]
    return np.asarray(20 * np.log10(np.abs(total) + 1e-12))
