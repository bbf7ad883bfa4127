"""Source and filter by definition: cosine by cosine, whole-number noise, impulse responses, plain convolution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
WORD = (1 << 64) - 1


def split_mix(index: int) -> int:
    bits = index * 0x9E3779B97F4A7C15 & WORD
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & WORD
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & WORD
    return bits ^ bits >> 31


def white_noise(samples: int) -> Floats:
    """Box and Muller's transform of two uniform numbers for each sample."""
    noise = np.zeros(samples)
    for index in range(samples):
        radius_share = ((split_mix(2 * index + 1) >> 11) + 1) / 2**53
        turn = (split_mix(2 * index + 2) >> 11) / 2**53
        noise[index] = math.sqrt(-2 * math.log(radius_share)) * math.cos(2 * math.pi * turn)
    return noise


def pulses(f0_hz: Floats, rate_hz: int, size: int) -> Floats:
    before_hz = np.concatenate([f0_hz[:1], f0_hz[:-1]])
    rise = np.arange(1, size + 1) / size
    contour_hz = (before_hz[:, None] + (f0_hz - before_hz)[:, None] * rise).ravel()
    phases = np.cumsum(2 * np.pi * contour_hz / rate_hz)
    counts = np.floor(0.5 * rate_hz * 0.98 / contour_hz).astype(int)
    sums = [np.cos(np.arange(1, count + 1) * phase).sum() for count, phase in zip(counts, phases, strict=True)]
    return np.asarray(np.sqrt(2 / counts) * sums, np.float64)


@dataclass(frozen=True)
class SourceFilterByDefinition:
    rate_hz: int
    size: int
    harmonic_centres_hz: Floats
    noise_centres_hz: Floats
    n_fft: int

    def response(self, logs: Floats, centres_hz: Floats) -> Floats:
        """Impulse response of the minimum-phase filter."""
        bins_hz = np.arange(self.n_fft // 2 + 1) * self.rate_hz / self.n_fft
        cepstrum = np.fft.irfft(np.interp(bins_hz, centres_hz, logs))
        fold = np.concatenate([[1], np.full(self.n_fft // 2 - 1, 2), [1], np.zeros(self.n_fft // 2 - 1)])
        return np.asarray(np.fft.irfft(np.exp(np.fft.rfft(cepstrum * fold))), np.float64)

    def render(self, f0_hz: Floats, harmonic_log: Floats, noise_log: Floats) -> Floats:
        out = np.zeros(len(f0_hz) * self.size + self.n_fft)
        sources = (
            (pulses(f0_hz, self.rate_hz, self.size), harmonic_log, self.harmonic_centres_hz),
            (white_noise(len(f0_hz) * self.size), noise_log, self.noise_centres_hz),
        )
        rise = np.arange(1, self.size + 1) / self.size
        for excitation, logs, centres_hz in sources:
            responses = [self.response(row, centres_hz) for row in logs]
            for frame, response in enumerate(responses):
                start = frame * self.size
                segment = excitation[start : start + self.size]
                old = responses[max(frame - 1, 0)]
                filtered = np.convolve(segment * (1 - rise), old) + np.convolve(segment * rise, response)
                filtered[: self.size - 1] += filtered[self.n_fft :]  # what does not fit the transform comes round
                out[start : start + self.n_fft] += filtered[: self.n_fft]
        return out[: len(f0_hz) * self.size]
