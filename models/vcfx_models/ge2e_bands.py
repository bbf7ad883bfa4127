"""Mel power of a stream as GE2E hears it: 40 bands at 16 kHz, a frame every 10 ms."""

from __future__ import annotations

from copy import copy
from typing import Final

import numpy as np
import numpy.typing as npt

from vcfx_dsp.mel import mel_filterbank, padded_hann

from .ge2e_geometry import BANDS, FFT_SAMPLES, HOP_SAMPLES, SAMPLE_RATE

Floats = npt.NDArray[np.float32]
#: Frame 0 lies round sample 0, so half of it is the silence before the stream.
PAST_SAMPLES: Final = FFT_SAMPLES // 2


class Ge2eBands:
    """Frame i is the power round sample 160 i of all that was pushed, and comes out with sample 160 i + 199.

    Slaney's mel filters on the power of a Hann window, no logarithm; the same frames (to the rounding of float32)
    however the stream is cut.
    """

    def __init__(self) -> None:
        self._window = padded_hann(FFT_SAMPLES, FFT_SAMPLES).astype(np.float32)
        self._bank = mel_filterbank(SAMPLE_RATE, FFT_SAMPLES, BANDS, 0.0, SAMPLE_RATE / 2).T.astype(np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget the signal."""
        self._held = np.zeros(PAST_SAMPLES, np.float32)

    def copy(self) -> Ge2eBands:
        """Return another that has heard the same."""
        twin = copy(self)
        twin._held = self._held.copy()
        return twin

    def push(self, mono: Floats) -> Floats:
        """Take in float32 (frames,) at 16 kHz and return the (n, 40) that it completes; n may be 0."""
        signal = np.concatenate([self._held, np.asarray(mono, np.float32)])
        count = max((signal.size - FFT_SAMPLES) // HOP_SAMPLES + 1, 0)
        self._held = signal[count * HOP_SAMPLES :].copy()
        if count == 0:
            return np.zeros((0, BANDS), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(signal, FFT_SAMPLES)[::HOP_SAMPLES][:count]
        power = np.abs(np.fft.rfft(frames * self._window)) ** 2  # (T, 201)
        return np.asarray(power @ self._bank, np.float32)
