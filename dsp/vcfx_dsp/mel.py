"""Log-mel spectrogram of a stream: the frames that a whole-signal analysis without padding would give, as they come."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .core.fft import fft_table, rfft
from .core.kernel import compiled, compiled_entry
from .errors import ParameterError

Floats = npt.NDArray[np.float64]
Frames = npt.NDArray[np.float32]
MIN_N_FFT, MAX_N_FFT = 128, 4_096
# M. Slaney, "Auditory Toolbox", Apple Technical Report 45, 1998: linear below 1 kHz, logarithmic above.
_LINEAR_HZ_PER_MEL: Final = 200.0 / 3.0
_BREAK_HZ: Final = 1_000.0
_LOG_STEP: Final = math.log(6.4) / 27.0


def mel_of_hz(frequency_hz: npt.ArrayLike) -> Floats:
    """Return frequencies on Slaney's mel scale."""
    hz = np.asarray(frequency_hz, np.float64)
    above = np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.minimum(hz, _BREAK_HZ) / _LINEAR_HZ_PER_MEL + above


def hz_of_mel(mel: npt.ArrayLike) -> Floats:
    """Undo `mel_of_hz`."""
    mels, break_mel = np.asarray(mel, np.float64), _BREAK_HZ / _LINEAR_HZ_PER_MEL
    growth = np.exp(_LOG_STEP * np.maximum(mels - break_mel, 0.0))
    return np.asarray(np.minimum(mels, break_mel) * _LINEAR_HZ_PER_MEL * growth, np.float64)


def mel_filterbank(sample_rate: int, n_fft: int, n_mels: int, f_min_hz: float, f_max_hz: float) -> Floats:
    """Return triangular mel filters of equal area (Slaney's scale and norm).

    Returns
    -------
    array of shape (n_mels, n_fft // 2 + 1)
        Weights for the bins of a power spectrum; a filter narrower than a bin may be empty.
    """
    bins_hz = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    corners_hz = hz_of_mel(np.linspace(mel_of_hz(f_min_hz), mel_of_hz(f_max_hz), n_mels + 2))
    low, middle, high = corners_hz[:-2, None], corners_hz[1:-1, None], corners_hz[2:, None]
    rising, falling = (bins_hz - low) / (middle - low), (high - bins_hz) / (high - middle)
    return np.asarray(np.maximum(np.minimum(rising, falling), 0.0) * 2.0 / (high - low), np.float64)


def padded_hann(win_length: int, n_fft: int) -> Floats:
    """Return a periodic Hann window of `win_length` in the middle of `n_fft` zeros."""
    window = np.zeros(n_fft)
    start = (n_fft - win_length) // 2
    window[start : start + win_length] = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(win_length) / win_length)
    return window


@compiled
def _power_spectrum(ring: Any, place: int, window: Any, table: Any, scratch: Any) -> Any:
    """Return the powers of the n_fft samples that begin at `place` of the ring, a view of `scratch`."""
    n_fft = ring.size
    bins = n_fft // 2 + 1
    framed, real, imaginary = scratch[:n_fft], scratch[n_fft : n_fft + bins], scratch[n_fft + bins : n_fft + 2 * bins]
    for index in range(n_fft - place):
        framed[index] = ring[place + index] * window[index]
    for index in range(place):
        framed[n_fft - place + index] = ring[index] * window[n_fft - place + index]
    rfft(framed, real, imaginary, table)
    for k in range(bins):
        real[k] = real[k] * real[k] + imaginary[k] * imaginary[k]
    return real


@compiled_entry
def _analyse(
    block: Frames,
    counters: npt.NDArray[np.int64],
    ring: Floats,
    window: Floats,
    table: Floats,
    scratch: Floats,
    spans: npt.NDArray[np.int64],
    weights: Floats,
    log_floor: float,
    by_magnitude: bool,
    out: Frames,
) -> int:
    """Take in a block and write the frames that became complete; `counters`: place, frames until due, hop."""
    place, due, hop_length = counters
    count = 0
    for sample in block:
        ring[place] = sample
        place += 1
        if place == ring.size:
            place = 0
        due -= 1
        if due > 0:
            continue
        due = hop_length
        spectrum = _power_spectrum(ring, place, window, table, scratch)
        if by_magnitude:
            for k in range(spectrum.size):
                spectrum[k] = math.sqrt(spectrum[k])
        for mel in range(out.shape[0]):
            total = 0.0
            for index in range(spans[mel, 1]):
                total += weights[spans[mel, 2] + index] * spectrum[spans[mel, 0] + index]
            out[mel, count] = max(math.log(total), log_floor) if total > 0.0 else log_floor
        count += 1
    counters[0], counters[1] = place, due
    return count


class LogMel:
    """Natural logarithm of a mel spectrogram, frame by frame as the signal arrives, the same bits at any block sizes.

    Frame t covers samples ``t * hop_length`` to ``t * hop_length + n_fft - 1`` and comes out with the last of them.

    Parameters
    ----------
    sample_rate
        Hz.
    n_fft
        Length of a frame in samples: a power of two from 128 to 4096.
    hop_length
        Samples from frame to frame, 1 or more; may exceed `n_fft`.
    win_length
        Length of the Hann window in the middle of the frame, 1 to `n_fft`; None: `n_fft`.
    n_mels
        Number of filters.
    f_min_hz, f_max_hz
        Range of the filters; None: half the sample rate.
    power
        1: the filters weigh magnitudes; 2: powers.
    floor
        Mel values below this count as this.
    max_frames
        The longest block that `process` will see.
    """

    def __init__(
        self,
        sample_rate: int,
        n_fft: int = 1_024,
        hop_length: int = 256,
        win_length: int | None = None,
        n_mels: int = 80,
        f_min_hz: float = 0.0,
        f_max_hz: float | None = None,
        power: int = 2,
        floor: float = 1e-10,
        max_frames: int = 4_096,
    ) -> None:
        win_length = n_fft if win_length is None else win_length
        f_max_hz = 0.5 * sample_rate if f_max_hz is None else f_max_hz
        _check(sample_rate, n_fft, hop_length, win_length, n_mels, f_min_hz, f_max_hz, power, floor, max_frames)
        self.sample_rate, self.n_fft, self.hop_length, self.n_mels = sample_rate, n_fft, hop_length, n_mels
        self.max_frames = max_frames
        self._by_magnitude = power == 1
        self._log_floor = math.log(floor)
        self._window, self._table = padded_hann(win_length, n_fft), fft_table(n_fft)
        self._spans, self._weights = _packed(mel_filterbank(sample_rate, n_fft, n_mels, f_min_hz, f_max_hz))
        self._ring, self._scratch = np.zeros(n_fft), np.zeros(n_fft + 2 * (n_fft // 2 + 1))
        self._counters = np.array([0, n_fft, hop_length], np.int64)
        self._out = np.zeros((n_mels, (max_frames - 1) // hop_length + 1), np.float32)
        self.process(np.zeros(0, np.float32))  # compiles

    @property
    def latency_samples(self) -> int:
        """From the middle of a frame to the moment it comes out: n_fft / 2."""
        return self.n_fft // 2

    def reset(self) -> None:
        """Forget the signal; the next frame comes after `n_fft` samples."""
        self._ring[:] = 0.0
        self._counters[:] = (0, self.n_fft, self.hop_length)

    def process(self, block: Frames) -> Frames:
        """Take in float32 (frames,) and return the frames completed by it. Allocates no array. Thread: worker.

        Returns
        -------
        array of shape (n_mels, n_frames)
            A view that the next call overwrites; n_frames may be 0.
        """
        if block.ndim != 1 or block.size > self.max_frames:
            raise ParameterError(
                f"the block's shape is {block.shape}; allowed: one row of 0 to {self.max_frames} frames"
            )
        if block.dtype != np.float32 or not block.flags.c_contiguous:  # would compile the kernel anew, mid-stream
            layout = "contiguous" if block.flags.c_contiguous else "strided"
            raise ParameterError(f"the block is {layout} {block.dtype}; allowed: contiguous float32")
        count = _analyse(
            block,
            self._counters,
            self._ring,
            self._window,
            self._table,
            self._scratch,
            self._spans,
            self._weights,
            self._log_floor,
            self._by_magnitude,
            self._out,
        )
        return self._out[:, :count]


def _packed(filterbank: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return each filter's first bin, length and place, and all weights that are not 0 in a row."""
    spans = np.zeros((len(filterbank), 3), np.int64)
    weights: list[Floats] = []
    place = 0
    for row, (span, filter_weights) in enumerate(zip(spans, filterbank, strict=True)):
        used = np.flatnonzero(filter_weights)
        if used.size:
            spans[row] = used[0], used[-1] + 1 - used[0], place
            weights.append(filter_weights[used[0] : used[-1] + 1])
            place += span[1]
    return spans, np.concatenate([*weights, np.zeros(1)])


def _check(
    sample_rate: int,
    n_fft: int,
    hop_length: int,
    win_length: int,
    n_mels: int,
    f_min_hz: float,
    f_max_hz: float,
    power: int,
    floor: float,
    max_frames: int,
) -> None:
    if n_fft & (n_fft - 1):
        raise ParameterError(f"n_fft is {n_fft}; allowed: powers of two from {MIN_N_FFT} to {MAX_N_FFT}")
    limits: tuple[tuple[str, float, float, float], ...] = (
        ("sample_rate", sample_rate, 1, math.inf),
        ("n_fft", n_fft, MIN_N_FFT, MAX_N_FFT),
        ("hop_length", hop_length, 1, math.inf),
        ("win_length", win_length, 1, n_fft),
        ("n_mels", n_mels, 1, n_fft),
        ("f_max_hz", f_max_hz, 1.0, 0.5 * sample_rate),
        ("f_min_hz", f_min_hz, 0.0, math.nextafter(f_max_hz, 0.0)),
        ("power", power, 1, 2),
        ("floor", floor, 1e-300, math.inf),
        ("max_frames", max_frames, 1, math.inf),
    )
    for name, value, low, high in limits:
        if not low <= value <= high:
            raise ParameterError(f"{name} is {value}; allowed: {low:g} to {high:g}")
