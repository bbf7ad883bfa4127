"""What the decoder is told of a voice, measured on log-mel frames of its speech."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .geometry import EMBEDDING_SIZE, MEL_SPREAD, VOICE_SIZE

#: Frames quieter than the loud ones (95th percentile) by more than this many dB are pauses.
PAUSE_DB = 30.0


def frame_level(log_mel: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the natural log of the mean mel power of (frames, mels) log-mel frames."""
    top = log_mel.max(axis=1).astype(np.float64)
    return np.asarray(top + np.log(np.mean(np.exp(log_mel - top[:, None]), axis=1)), np.float64)


def speech_frames(log_mel: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Tell which of (frames, mels) log-mel frames are speech, by level alone."""
    level = frame_level(log_mel)
    return np.asarray(level > np.percentile(level, 95) - PAUSE_DB / 10.0 * np.log(10.0), np.bool_)


def spectrum_of_voice(log_mel: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return mean and spread of the speech frames, scaled near 0 +- 1, shape (160,); independent of the level."""
    speech = log_mel[speech_frames(log_mel)].astype(np.float64)
    mean, spread = speech.mean(axis=0), speech.std(axis=0)
    return np.concatenate([(mean - mean.mean()) / MEL_SPREAD, spread / MEL_SPREAD]).astype(np.float32)


def unit(embedding: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the embedding scaled to length 1."""
    return np.asarray(embedding / max(float(np.linalg.norm(embedding)), 1e-9), np.float32)


def voice_vector(embedding: npt.NDArray[np.float32], spectrum: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the decoder's voice vector, shape (416,): the embedding on the unit sphere, times 8, and the spectrum.

    The factor lets both parts have entries of a like size.
    """
    vector = np.concatenate([8.0 * unit(embedding), spectrum]).astype(np.float32)
    if embedding.shape != (EMBEDDING_SIZE,) or vector.shape != (VOICE_SIZE,):
        raise ValueError(f"voice vector has shape {vector.shape}; allowed: ({VOICE_SIZE},)")
    return vector
