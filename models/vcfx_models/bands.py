"""Where the bands of the envelopes lie, and the matrix that turns them into a minimum-phase filter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcfx_dsp.mel import hz_of_mel, mel_of_hz

from .geometry import HARMONIC_BANDS, N_FFT, NOISE_BANDS, SAMPLE_RATE

Floats = npt.NDArray[np.float64]


def band_centres_hz(bands: int) -> Floats:
    """Return `bands` frequencies from 0 to half the rate, evenly spaced in mel."""
    return hz_of_mel(np.linspace(0.0, float(mel_of_hz(SAMPLE_RATE / 2)), bands))


HARMONIC_CENTRES_HZ = band_centres_hz(HARMONIC_BANDS)
NOISE_CENTRES_HZ = band_centres_hz(NOISE_BANDS)


def minimum_phase_matrices(centres_hz: Floats) -> tuple[Floats, Floats]:
    """Return (bands, bins) matrices: log amplitudes times them are log magnitude and phase of the filter's bins.

    The folded real cepstrum (A. V. Oppenheim, R. W. Schafer, "Discrete-Time Signal Processing", ch. 13) is linear
    in the log amplitude, so that one matrix does interpolation, folding and transform.
    """
    bins_hz = np.arange(N_FFT // 2 + 1) * (SAMPLE_RATE / N_FFT)
    interpolation = np.stack([np.interp(bins_hz, centres_hz, row) for row in np.eye(centres_hz.size)])
    cepstrum = np.fft.irfft(interpolation, axis=1)
    cepstrum[:, 1 : N_FFT // 2] *= 2.0
    cepstrum[:, N_FFT // 2 + 1 :] = 0.0
    logarithm = np.fft.rfft(cepstrum, axis=1)
    return logarithm.real, logarithm.imag
