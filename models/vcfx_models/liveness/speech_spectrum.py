"""What the detector of live voices looks at: the spectrum of speech, without its pauses and without its mean."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..speech_level import Mono

RATE_HZ: Final = 16_000
WINDOW_SAMPLES: Final = 512
HOP_SAMPLES: Final = 160
#: Bins of 31.25 Hz, 94 to 7406 Hz. Below are hum and handling, above the slopes of resamplers.
FIRST_BIN, FINE_BANDS = 3, 234
#: Four short windows in each hop show the pulses of a voice, as pairs of bins of 125 Hz, 62 to 7312 Hz.
SHORT_SAMPLES, SHORT_HOP_SAMPLES, SHORTS = 128, 40, 4
FIRST_SHORT_BIN, SHORT_BANDS = 1, 29
N_BANDS: Final = FINE_BANDS + SHORTS * SHORT_BANDS
#: The middle of each band.
BANDS_HZ: Final = np.concatenate(
    [
        (FIRST_BIN + np.arange(FINE_BANDS)) * RATE_HZ / WINDOW_SAMPLES,
        np.tile((FIRST_SHORT_BIN + 0.5 + 2.0 * np.arange(SHORT_BANDS)) * RATE_HZ / SHORT_SAMPLES, SHORTS),
    ]
).astype(np.float32)
#: What lies farther below the loudest band of the recording is cut off: no codec keeps it and no room is that quiet.
RANGE_DB: Final = 80.0
#: Frames within so much of the loudest ones are speech; pauses say more about the microphone's place than the voice.
SPEECH_RANGE_DB: Final = 30.0
LOUDEST_PERCENTILE: Final = 99.0
#: Before the first short window of a frame, so that the four lie about the middle of the long one.
_FIRST_SHORT_SAMPLE: Final = (WINDOW_SAMPLES - SHORT_SAMPLES - (SHORTS - 1) * SHORT_HOP_SAMPLES) // 2

Frames = npt.NDArray[np.float32]


def band_levels_db(mono: Mono) -> Frames:
    """Return (frames, 350): levels in dB, at least -80, 0 being the loudest: 234 fine bands, then 4 times 29 wide ones.

    Parameters
    ----------
    mono
        At 16 kHz, any level; shorter than one window: no frames.
    """
    if mono.size < WINDOW_SAMPLES:
        return np.zeros((0, N_BANDS), np.float32)
    fine = _power(mono, WINDOW_SAMPLES, HOP_SAMPLES)
    frames = fine.shape[0]
    short = _power(mono[_FIRST_SHORT_SAMPLE:], SHORT_SAMPLES, SHORT_HOP_SAMPLES)[: SHORTS * frames]
    pairs = short[:, FIRST_SHORT_BIN : FIRST_SHORT_BIN + 2 * SHORT_BANDS].reshape(-1, SHORT_BANDS, 2).sum(axis=2)
    parts = fine[:, FIRST_BIN : FIRST_BIN + FINE_BANDS], pairs.reshape(frames, SHORTS * SHORT_BANDS)
    return np.concatenate([_levels_db(part) for part in parts], axis=1)


def is_speech(levels_db: Frames) -> npt.NDArray[np.bool_]:
    """Tell which frames are speech: those whose level is within 30 dB of the loudest percent."""
    if levels_db.shape[0] == 0:
        return np.zeros(0, np.bool_)
    frame_db = 10.0 * np.log10(np.power(10.0, levels_db[:, :FINE_BANDS] / 10.0).sum(axis=1))
    return np.asarray(frame_db >= np.percentile(frame_db, LOUDEST_PERCENTILE) - SPEECH_RANGE_DB, np.bool_)


def centred(levels_db: Frames) -> Frames:
    """Return frames less their mean, in tens of dB: what any fixed filter leaves as it was.

    The four short windows of a frame have one mean, so that what differs between them stays.
    """
    mean = levels_db.mean(axis=0)
    mean[FINE_BANDS:] = np.tile(mean[FINE_BANDS:].reshape(SHORTS, SHORT_BANDS).mean(axis=0), SHORTS)
    return np.asarray((levels_db - mean) / 10.0, np.float32)


def speech_spectrum(mono: Mono) -> Frames:
    """Return (frames, 350) of the speech in mono at 16 kHz, pauses cut out."""
    levels_db = band_levels_db(mono)
    spoken = levels_db[is_speech(levels_db)]
    return centred(spoken) if spoken.shape[0] else spoken


def _power(mono: Mono, window_samples: int, hop_samples: int) -> Frames:
    """Return (frames, bins): the power in each bin of each window."""
    windows = np.lib.stride_tricks.sliding_window_view(mono, window_samples)[::hop_samples]
    return np.square(np.abs(np.fft.rfft(windows * np.hanning(window_samples).astype(np.float32))))


def _levels_db(power: Frames) -> Frames:
    loudest = max(float(power.max()), 1e-12)
    return np.asarray(10.0 * np.log10(np.maximum(power / loudest, 10.0 ** (-RANGE_DB / 10.0))), np.float32)
