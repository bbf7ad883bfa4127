"""Moves formants and sharpens them, on log envelopes over the bands of the vocoder."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcfx_dsp.mel import mel_of_hz

Singles = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
#: Width of what counts as the smooth part of an envelope: standard deviation on the mel scale (Slaney's; 1 kHz is 15).
SMOOTH_MELS = 3.0


class EnvelopeShaper:
    """Shapes envelopes of one set of bands.

    Parameters
    ----------
    centres_hz
        Bands, evenly spaced in mel from 0.
    """

    def __init__(self, centres_hz: Floats) -> None:
        self._mels = mel_of_hz(centres_hz)
        self._step = float(self._mels[1] - self._mels[0])
        self._centres_hz = centres_hz
        self._widths = np.gradient(centres_hz).astype(np.float32)
        distance = (self._mels[:, None] - self._mels[None, :]) / SMOOTH_MELS
        weights = np.exp(-0.5 * distance**2)
        self._smoothing = (weights / weights.sum(axis=1, keepdims=True)).T.astype(np.float32)

    def shape(self, log_amplitude: Singles, formant_semitones: Singles, clarity: Singles) -> Singles:
        """Return shaped (frames, bands); the two controls hold for each frame. Untouched where both are 0."""
        out = log_amplitude
        if np.any(formant_semitones):
            out = np.stack(
                [self.warped(row, float(offset)) for row, offset in zip(out, formant_semitones, strict=True)]
            )
        if np.any(clarity):
            out = self.sharpened(out, clarity)
        return out

    def warped(self, row: Singles, semitones: float) -> Singles:
        """Return an envelope whose features lie higher by `semitones`; the edge bands hold beyond the edge."""
        if semitones == 0.0:
            return row
        places = mel_of_hz(self._centres_hz * 2.0 ** (-semitones / 12.0)) / self._step
        return np.interp(places, np.arange(row.size), row).astype(np.float32)

    def sharpened(self, log_amplitude: Singles, clarity: Singles) -> Singles:
        """Return envelopes whose distance from their smooth part grows by `clarity` (0 to 1); the power is kept."""
        fine = log_amplitude - log_amplitude @ self._smoothing
        out = log_amplitude + clarity[:, None] * fine
        change = self._log_power(log_amplitude) - self._log_power(out)
        return np.asarray(out + 0.5 * change[:, None], np.float32)

    def _log_power(self, log_amplitude: Singles) -> Singles:
        top = log_amplitude.max(axis=1, keepdims=True)
        power = np.exp(2.0 * (log_amplitude - top)) @ self._widths
        return np.asarray(np.log(power) + 2.0 * top[:, 0], np.float32)
