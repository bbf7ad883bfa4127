"""The limiter on the whole signal at once: interpolate, find peaks, spread, release, smooth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import firwin, resample_poly

Array = npt.NDArray[np.float64]
SIDE = 12


def fourfold(channel: Array) -> Array:
    """Points at every quarter of a sample; the interpolator's branches each have a sum of one."""
    prototype = firwin(8 * SIDE + 1, 1.0, window=("kaiser", 3.75), fs=8.0, scale=False)
    branches = np.stack([np.append(prototype[phase::4], 0)[: 2 * SIDE] for phase in range(1, 4)])
    branches /= branches.sum(axis=1, keepdims=True)
    padded = np.pad(channel, SIDE)
    between = [np.convolve(padded, branch, "valid")[1 : channel.size + 1] for branch in branches]
    return np.stack([channel, *between], axis=1).ravel()


def peaks(channel: Array) -> Array:
    """The height at each sample's points: -1/4 to +1/2 with parabolas where one of them stands out, and +3/4."""
    points = np.pad(fourfold(channel), (2, 0))
    left, middle, right = points[:-2], points[1:-1], points[2:]
    height = np.abs(middle)
    stands_out = (height >= np.abs(left)) & (height >= np.abs(right)) & (left * right > 0)
    curve = 2 * height - np.abs(left) - np.abs(right)
    rise = np.divide((np.abs(left) - np.abs(right)) ** 2, 8 * curve, out=np.zeros_like(curve), where=curve > 0)
    vertices = (height + np.where(stands_out, rise, 0)).reshape(-1, 4)
    return np.asarray(np.maximum(vertices.max(axis=1), np.abs(points[5::4])))


def limited(signal: npt.ArrayLike, ceiling: float, release_ms: float, delay: int, sample_rate: int) -> Array:
    silence = ((0, 0), (2 * SIDE, 0))  # the curve through a loud first sample rises before it
    x = np.pad(np.asarray(signal, np.float64), silence)
    frames = x.shape[1]
    highest = np.max([peaks(channel) for channel in x], axis=0)
    allowed = np.minimum(1, ceiling / np.maximum(highest, 1e-30))
    smoothing = delay - SIDE - 1
    first, second = smoothing // 2 + 1, smoothing - smoothing // 2 + 1
    window = smoothing + 3
    lowest = sliding_window_view(np.concatenate([np.ones(window - 1), allowed]), window).min(axis=1)
    back = 1 - np.exp(-1 / (release_ms * 1e-3 * sample_rate))
    envelope, present = np.empty(frames), 1.0
    for frame, bound in enumerate(lowest):
        present = min(bound, present + back * (1 - present))
        envelope[frame] = present
    gain = envelope
    for box in (first, second):
        gain = np.convolve(np.concatenate([np.ones(box - 1), gain]), np.ones(box) / box, "valid")
    gain = np.concatenate([np.ones(SIDE), gain])[:frames]  # the interpolator's look-ahead
    delayed = np.pad(x, ((0, 0), (delay, 0)))[:, :frames]
    return np.asarray(delayed * gain)[:, 2 * SIDE :]


def ideal_true_peak(signal: npt.ArrayLike) -> float:
    """Peak of the band-limited curve through the samples: a sixteen-fold zero-padded spectrum."""
    x = np.pad(np.asarray(signal, np.float64).ravel(), 2_000)
    spectrum = np.fft.rfft(x)
    return float(np.abs(np.fft.irfft(spectrum, 16 * x.size) * 16).max())


def metered_true_peak(signal: npt.ArrayLike) -> float:
    """Peak after four-fold oversampling with another windowed sinc, as a meter shows it."""
    return float(np.abs(resample_poly(np.asarray(signal, np.float64).ravel(), 4, 1)).max())
