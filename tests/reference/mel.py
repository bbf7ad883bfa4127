"""Log-mel by definition: cut, window, numpy's transform, one triangle after the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def slaney_hz(mel: float) -> float:
    return mel * 200 / 3 if mel < 15 else float(1_000 * 6.4 ** ((mel - 15) / 27))


def slaney_mel(hz: float) -> float:
    return hz * 3 / 200 if hz < 1_000 else float(15 + 27 * np.log(hz / 1_000) / np.log(6.4))


def log_mel(
    signal: npt.NDArray[np.float32],
    rate_hz: int,
    n_fft: int,
    hop_length: int,
    n_mels: int,
    win_length: int | None,
    power: int,
    f_min_hz: float,
    f_max_hz: float | None,
) -> npt.NDArray[np.float64]:
    length = win_length or n_fft
    before = (n_fft - length) // 2
    window = np.pad(np.sin(np.pi * np.arange(length) / length) ** 2, (before, n_fft - length - before))
    low, high = slaney_mel(f_min_hz), slaney_mel(f_max_hz or rate_hz / 2)
    corners = [slaney_hz(low + (high - low) * index / (n_mels + 1)) for index in range(n_mels + 2)]
    columns = []
    for start in range(0, len(signal) - n_fft + 1, hop_length):
        spectrum = np.abs(np.fft.rfft(signal[start : start + n_fft].astype(np.float64) * window)) ** power
        column = []
        for left, middle, right in zip(corners, corners[1:], corners[2:], strict=False):
            triangle = np.interp(np.arange(n_fft // 2 + 1) * rate_hz / n_fft, [left, middle, right], [0, 1, 0])
            column.append((triangle * spectrum).sum() * 2 / (right - left))
        columns.append(column)
    return np.log(np.maximum(np.array(columns).T, 1e-10))
