"""A voice made of a fundamental frequency and two spectral envelopes, 5 ms by 5 ms."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .core.fft import fft_table
from .core.kernel import compiled_entry
from .core.source_filter import COUNTERS, memory_size, render_subframe, scratch_size
from .errors import ParameterError
from .limits import check_rate
from .state import State

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
MIN_N_FFT, MAX_N_FFT = 64, 8_192


@compiled_entry
def _render(
    counters: Any,
    memory: Any,
    scratch: Any,
    table: Any,
    f0_hz: Any,
    harmonic_log: Any,
    noise_log: Any,
    lefts: Any,
    weights: Any,
    sample_rate: float,
    subframe_samples: int,
    out: Any,
) -> None:
    for frame in range(f0_hz.size):
        render_subframe(
            counters,
            memory,
            scratch,
            table,
            f0_hz[frame],
            harmonic_log[frame],
            noise_log[frame],
            lefts,
            weights,
            sample_rate,
            out[frame * subframe_samples : (frame + 1) * subframe_samples],
        )


class SourceFilterSynth:
    """Render harmonics and noise through two time-varying minimum-phase filters, the same bits at any block sizes.

    In sub-frame j, of S samples, the fundamental glides in a line from its value at the end of sub-frame j-1 to
    ``f0_hz[j]``. The harmonics below 0.98 of half the sample rate have equal amplitudes and together power 1; the noise
    is white and Gaussian, of power 1. Both pass through the filters of sub-frame j-1, fading out, and those of
    sub-frame j, fading in, by a share of (n + 1) / S at sample n. Before the first sub-frame, everything was as in it.

    Parameters
    ----------
    sample_rate
        Hz.
    subframe_samples
        Length of a sub-frame, 1 to n_fft / 2.
    harmonic_centres_hz, noise_centres_hz
        Where the bands of the envelopes are, rising from 0 or more to half the sample rate at most, 2 bands or more.
        In between, the logarithm of the gain is interpolated in a line over frequency; outside, the edges hold.
    n_fft
        Length of the transforms, a power of two from 64 to 8192. A filter's response may be n_fft - S + 1 samples long;
        what is longer comes too early, wrapped around by n_fft.

    Notes
    -----
    Latency: 0; a sub-frame is whole as soon as its own parameters are known. What is out of range counts as the
    nearest limit, and not-a-number as the lower one: f0 20 to 2000 Hz, logarithms -20 to 8.
    """

    def __init__(
        self,
        sample_rate: int,
        subframe_samples: int,
        harmonic_centres_hz: npt.ArrayLike,
        noise_centres_hz: npt.ArrayLike,
        n_fft: int = 1_024,
    ) -> None:
        if n_fft & (n_fft - 1) or not MIN_N_FFT <= n_fft <= MAX_N_FFT:
            raise ParameterError(f"n_fft is {n_fft}; allowed: powers of two from {MIN_N_FFT} to {MAX_N_FFT}")
        if not 1 <= subframe_samples <= n_fft // 2:
            raise ParameterError(f"subframe_samples is {subframe_samples}; allowed: 1 to {n_fft // 2}")
        self.sample_rate, self.subframe_samples, self.n_fft = (
            check_rate("sample_rate", sample_rate),
            subframe_samples,
            n_fft,
        )
        harmonic_centres = _checked_centres("harmonic_centres_hz", harmonic_centres_hz, sample_rate)
        noise_centres = _checked_centres("noise_centres_hz", noise_centres_hz, sample_rate)
        self.harmonic_bands, self.noise_bands = harmonic_centres.size, noise_centres.size
        bins_hz = np.arange(n_fft // 2 + 1, dtype=np.float64) * (sample_rate / n_fft)
        places = [_places_between(harmonic_centres, bins_hz), _places_between(noise_centres, bins_hz)]
        self._lefts = np.array([lefts for lefts, _ in places])
        self._weights = np.array([weights for _, weights in places])
        self._table = fft_table(n_fft)
        self._scratch = np.zeros(scratch_size(n_fft, subframe_samples))
        #: All that rendering changes: ``a.state.copy_from(b.state)`` lets a go on where b is.
        self.state = State((), np.zeros(COUNTERS, np.int64), np.zeros(memory_size(n_fft)))
        no_harmonics, no_noise = (np.zeros((0, bands), np.float32) for bands in (self.harmonic_bands, self.noise_bands))
        self.render(np.zeros(0, np.float32), no_harmonics, no_noise, np.zeros(0, np.float32))  # compiles

    def reset(self) -> None:
        """Forget what was rendered; the noise starts again, too."""
        self.state.counters[:] = 0
        self.state.memory[:] = 0.0

    def render(self, f0_hz: Singles, harmonic_log: Singles, noise_log: Singles, out: Singles) -> None:
        """Render consecutive sub-frames. Allocates no array. Thread: worker.

        Parameters
        ----------
        f0_hz
            (frames,) fundamental frequency at each sub-frame's end in Hz, above 0 where there is no voice, too.
        harmonic_log, noise_log
            (frames, bands): natural logarithms of the amplitude gains of harmonics and noise.
        out
            Receives (frames * subframe_samples,) samples. All four are contiguous float32.
        """
        frames = f0_hz.shape[0]
        _check_array("f0_hz", f0_hz, (frames,))
        _check_array("harmonic_log", harmonic_log, (frames, self.harmonic_bands))
        _check_array("noise_log", noise_log, (frames, self.noise_bands))
        _check_array("out", out, (frames * self.subframe_samples,))
        _render(
            self.state.counters,
            self.state.memory,
            self._scratch,
            self._table,
            f0_hz,
            harmonic_log,
            noise_log,
            self._lefts,
            self._weights,
            float(self.sample_rate),
            self.subframe_samples,
            out,
        )


def _checked_centres(name: str, centres_hz: npt.ArrayLike, sample_rate: int) -> Floats:
    centres = np.array(centres_hz, np.float64)
    if centres.ndim != 1 or centres.size < 2:
        raise ParameterError(f"{name} has the shape {centres.shape}; allowed: one row of 2 or more")
    if not (centres[0] >= 0.0 and centres[-1] <= 0.5 * sample_rate and np.all(np.diff(centres) > 0.0)):
        raise ParameterError(f"{name} is {centres.tolist()}; allowed: rising from 0 or more to {0.5 * sample_rate:g}")
    return centres


def _places_between(centres_hz: Floats, bins_hz: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return for each bin the band below it and the share, 0 to 1, of the band above."""
    left = np.clip(np.searchsorted(centres_hz, bins_hz, side="right") - 1, 0, centres_hz.size - 2)
    share = (bins_hz - centres_hz[left]) / (centres_hz[left + 1] - centres_hz[left])
    return left.astype(np.int64), np.clip(share, 0.0, 1.0)


def _check_array(name: str, array: npt.NDArray[np.float32], shape: tuple[int, ...]) -> None:
    """Refuse what would be read out of bounds, or compile the renderer anew in mid-stream."""
    if array.shape != shape:
        raise ParameterError(f"{name} has the shape {array.shape}; allowed: {shape}")
    if array.dtype != np.float32 or not array.flags.c_contiguous:
        layout = "contiguous" if array.flags.c_contiguous else "strided"
        raise ParameterError(f"{name} is {layout} {array.dtype}; allowed: contiguous float32")
