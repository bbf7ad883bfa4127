"""The levels in which the mark is looked for: of each band, every 5 ms."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from .pattern import band_centres_hz, band_widths_hz

Levels = npt.NDArray[np.float32]
WINDOW_S: Final = 0.024
HOP_S: Final = 0.005
#: Below the mean by this factor, power no longer counts: digital silence has no level.
FLOOR: Final = 1e-5
QUIETEST: Final = 1e-14
#: Levels are told against the mean of as much before and after.
REFERENCE_S: Final = 1.0
FRAMES_AT_ONCE: Final = 2_000


def frame_spectra(mono: npt.NDArray[np.float32], sample_rate: int) -> npt.NDArray[np.float32]:
    """Return the power spectra (frames, bins) of Hann windows every 5 ms, the first centred on the first sample."""
    window = 2 * round(WINDOW_S * sample_rate / 2)
    starts = np.floor(np.arange(int(mono.size / (HOP_S * sample_rate)) + 1) * (HOP_S * sample_rate)).astype(np.int64)
    padded = np.pad(mono, (window // 2, window))
    shape = np.hanning(window).astype(np.float32)
    size = _transform_size(sample_rate)
    bins = _highest_bin(sample_rate)
    spectra = np.empty((starts.size, bins), np.float32)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, window)
    for begin in range(0, starts.size, FRAMES_AT_ONCE):
        some = slice(begin, begin + FRAMES_AT_ONCE)
        spectrum = np.fft.rfft(pieces[starts[some]] * shape, size)[:, :bins]
        spectra[some] = spectrum.real**2 + spectrum.imag**2
    return spectra


def band_levels(spectra: npt.NDArray[np.float32], sample_rate: int, frequency_ratio: float = 1.0) -> Levels:
    """Return levels (frames, bands): natural logarithm over the loudness around, bands moved by `frequency_ratio`."""
    frequencies = np.arange(spectra.shape[1]) * (sample_rate / _transform_size(sample_rate))
    centres, widths = frequency_ratio * band_centres_hz(), frequency_ratio * band_widths_hz()
    shapes = (1.0 + ((frequencies[:, None] - centres) / (widths / 2.0)) ** 2) ** -2
    power = spectra @ (shapes / shapes.sum(axis=0)).astype(np.float32)
    levels: Levels = np.log(power / _local_mean(power.mean(axis=1))[:, None] + FLOOR).astype(np.float32)
    return levels


def _local_mean(power: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the mean over the second before and the second after each frame, as far as there is sound."""
    reach = round(REFERENCE_S / HOP_S)
    frames = np.arange(power.size)
    first, last = np.maximum(frames - reach, 0), np.minimum(frames + reach + 1, power.size)
    total = np.concatenate([[0.0], np.cumsum(power, dtype=np.float64)])
    mean: npt.NDArray[np.float32] = ((total[last] - total[first]) / (last - first) + QUIETEST).astype(np.float32)
    return mean


def _transform_size(sample_rate: int) -> int:
    """The power of two above twice the window: bins about 20 Hz apart."""
    return 2 << (round(WINDOW_S * sample_rate) - 1).bit_length()


def _highest_bin(sample_rate: int) -> int:
    """Bins up to 4 kHz, or to all of a lower rate: the bands lie below, wherever speed and pitch move them."""
    return min(_transform_size(sample_rate) // 2 + 1, int(4_000.0 / sample_rate * _transform_size(sample_rate)) + 1)
