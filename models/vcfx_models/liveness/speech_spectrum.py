"""What the detector of live voices looks at: the spectrum of speech, without its pauses and without its mean."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..speech_level import Mono

RATE_HZ: Final = 16_000
WINDOW_SAMPLES: Final = 512
HOP_SAMPLES: Final = 160
#: Bins of 31.25 Hz, taken in pairs: 94 to 7406 Hz. Below are hum and handling, above the slopes of resamplers.
FIRST_BIN, N_BANDS = 3, 117
#: What lies farther below the loudest band of the recording is cut off: no codec keeps it and no room is that quiet.
RANGE_DB: Final = 80.0
#: Frames within so much of the loudest ones are speech; pauses say more about the microphone's place than the voice.
SPEECH_RANGE_DB: Final = 30.0
LOUDEST_PERCENTILE: Final = 99.0

Frames = npt.NDArray[np.float32]


def band_levels_db(mono: Mono) -> Frames:
    """Return (frames, 117): the level of each band in dB against the loudest of all, at least -80.

    Parameters
    ----------
    mono
        At 16 kHz, any level; shorter than one window: no frames.
    """
    if mono.size < WINDOW_SAMPLES:
        return np.zeros((0, N_BANDS), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(mono, WINDOW_SAMPLES)[::HOP_SAMPLES]
    spectra = np.fft.rfft(windows * np.hanning(WINDOW_SAMPLES).astype(np.float32))
    power = np.square(np.abs(spectra[:, FIRST_BIN : FIRST_BIN + 2 * N_BANDS]))
    bands = power.reshape(power.shape[0], N_BANDS, 2).sum(axis=2)
    loudest = max(float(bands.max()), 1e-12)
    return np.asarray(10.0 * np.log10(np.maximum(bands / loudest, 10.0 ** (-RANGE_DB / 10.0))), np.float32)


def is_speech(levels_db: Frames) -> npt.NDArray[np.bool_]:
    """Tell which frames are speech: those whose level is within 30 dB of the loudest percent."""
    if levels_db.shape[0] == 0:
        return np.zeros(0, np.bool_)
    frame_db = 10.0 * np.log10(np.power(10.0, levels_db / 10.0).sum(axis=1))
    return np.asarray(frame_db >= np.percentile(frame_db, LOUDEST_PERCENTILE) - SPEECH_RANGE_DB, np.bool_)


def centred(levels_db: Frames) -> Frames:
    """Return frames less their mean, in tens of dB: what any fixed filter leaves as it was."""
    return np.asarray((levels_db - levels_db.mean(axis=0, keepdims=True)) / 10.0, np.float32)


def speech_spectrum(mono: Mono) -> Frames:
    """Return (frames, 117) of the speech in mono at 16 kHz, pauses cut out."""
    levels_db = band_levels_db(mono)
    spoken = levels_db[is_speech(levels_db)]
    return centred(spoken) if spoken.shape[0] else spoken
