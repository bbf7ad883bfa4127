"""The coding that every answer goes through before it is judged, so that how it came to be coded says nothing."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import soundfile

from ..speech_level import Mono
from .speech_spectrum import RATE_HZ

#: libsndfile's setting for about 23 kbit/s of Ogg Opus at 16 kHz, as the recordings that were learned from have.
COMPRESSION_LEVEL: Final = 0.92
PEAK: Final = 0.5


def answer_coded(mono: Mono) -> Mono:
    """Return speech at 16 kHz after one coding as Ogg Opus, as long as it was, its peak at 0.5.

    Silence and no frames come back as they are.
    """
    peak = float(np.abs(mono).max(initial=0.0))
    if peak == 0.0:
        return mono
    file = io.BytesIO()
    levelled = mono * np.float32(PEAK / peak)
    soundfile.write(file, levelled, RATE_HZ, format="OGG", subtype="OPUS", compression_level=COMPRESSION_LEVEL)
    file.seek(0)
    heard, _ = soundfile.read(file, dtype="float32")
    return np.asarray(np.pad(heard, (0, max(0, mono.size - heard.size)))[: mono.size], np.float32)
