"""A recording as GE2E wants it: 16 kHz, not too quiet, without its long pauses."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from vcfx_dsp.resampler import resample_signal

from .ge2e_geometry import SAMPLE_RATE
from .speech_level import ACTIVE_RANGE_DB

Floats = npt.NDArray[np.float32]
#: Of the whole recording; louder ones are left as they are, as the package Resemblyzer does.
LEVEL_DBFS: Final = -30.0
FRAME_SAMPLES: Final = SAMPLE_RATE // 50
#: So many frames of 20 ms on each side of speech are kept: short pauses belong to it.
MARGIN_FRAMES: Final = 6


def speech_for_ge2e(mono: Floats, sample_rate: int) -> Floats:
    """Return the spoken stretches of a recording at 16 kHz, one after the other; all of it if none stands out."""
    if sample_rate != SAMPLE_RATE:
        mono = resample_signal(np.ascontiguousarray(mono[None], np.float32), sample_rate, SAMPLE_RATE)[0]
    frames = mono[: mono.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    powers = np.square(frames, dtype=np.float64).mean(axis=1)
    loudest = powers.max(initial=0.0)
    if loudest == 0.0:
        return np.asarray(mono, np.float32)
    gain = max(10.0 ** (LEVEL_DBFS / 20.0) / float(np.sqrt(powers.mean())), 1.0)
    is_loud = powers >= loudest * 10.0 ** (-ACTIVE_RANGE_DB / 10.0)
    is_near = np.convolve(is_loud, np.ones(2 * MARGIN_FRAMES + 1), mode="same")[: is_loud.size] > 0.5
    return np.asarray(frames[is_near].ravel() * gain, np.float32)
