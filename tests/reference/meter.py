"""Levels by definition: whole-signal filters and plain means."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import bilinear, lfilter

Signal = npt.NDArray[np.float64]

# ITU-R BS.1770-4, tables 1 and 2: the K filter at 48 kHz.
STANDARD_SHELF = (
    [1.53512485958697, -2.69169618940638, 1.19839281085285],
    [1.0, -1.69065929318241, 0.73248077421585],
)
STANDARD_HIGHPASS = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])


def resampled_design(b: list[float], a: list[float], rate_hz: int) -> tuple[Signal, Signal]:
    """Take a 48 kHz biquad back to the analogue plane and down again at another rate, with tan(pi f / rate) prewarp.

    The substitution ``z -> s = (z - 1) / (z + 1)`` is scaled such that the shelf's frequency stays in place.
    """
    up = np.array([[1, 1, 1], [2, 0, -2], [1, -1, 1]], float)  # columns: (1-s)^k (1+s)^(2-k) in s^0, s^1, s^2
    analogue_b, analogue_a = up @ b, up @ a
    frequency_hz = 1681.974450955533 if b[1] != -2.0 else 38.13547087602444
    scale = np.tan(np.pi * frequency_hz / 48_000) / np.tan(np.pi * frequency_hz / rate_hz)
    powers = scale ** np.arange(3)
    return bilinear((analogue_b * powers)[::-1], (analogue_a * powers)[::-1], fs=0.5)  # type: ignore[no-any-return]


def k_weighted(signal: Signal, rate_hz: int) -> Signal:
    for b, a in (STANDARD_SHELF, STANDARD_HIGHPASS):
        signal = lfilter(*resampled_design(b, a, rate_hz), signal)
    return signal


def momentary_lufs(signal: npt.NDArray[np.float32], rate_hz: int) -> float:
    """Loudness of the last 400 ms of (channels, frames), all weights 1."""
    last = k_weighted(signal.astype(np.float64), rate_hz)[:, -round(0.4 * rate_hz) :]
    return float(-0.691 + 10 * np.log10((last**2).mean(axis=1).sum()))
