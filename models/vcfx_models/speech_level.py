"""How loud speech is, pauses aside, and how it is brought to the level of the training."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from .geometry import SAMPLE_RATE

Mono = npt.NDArray[np.float32]

#: Length of a frame, and how far below the loudest one a frame may be to count as speech.
FRAME_SAMPLES: Final = SAMPLE_RATE // 50
ACTIVE_RANGE_DB: Final = 35.0
LEVEL_DBFS: Final = -24.0
PEAK: Final = 0.99


def frame_powers(mono: Mono) -> npt.NDArray[np.float64]:
    """Return the mean square of each whole frame of 20 ms at 24 kHz."""
    frames = mono[: mono.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return np.asarray(np.square(frames, dtype=np.float64).mean(axis=1), np.float64)


def active_frames(powers: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Tell which frames are speech: those within 35 dB of the loudest; none of silence."""
    loudest = powers.max(initial=0.0)
    return np.asarray((powers > 0.0) & (powers >= loudest * 10.0 ** (-ACTIVE_RANGE_DB / 10.0)), np.bool_)


def active_level_dbfs(mono: Mono) -> float:
    """Return the RMS level of the active frames in dB of full scale; -inf for silence."""
    powers = frame_powers(mono)
    active = powers[active_frames(powers)]
    return float(10.0 * np.log10(active.mean())) if active.size else -np.inf


def levelled(mono: Mono) -> Mono:
    """Return the signal with its active frames at -24 dBFS, or lower where a peak would exceed 0.99."""
    level_dbfs = active_level_dbfs(mono)
    if not np.isfinite(level_dbfs):
        return mono
    gain = 10.0 ** ((LEVEL_DBFS - level_dbfs) / 20.0)
    return np.asarray(mono * min(gain, PEAK / float(np.abs(mono).max())), np.float32)
