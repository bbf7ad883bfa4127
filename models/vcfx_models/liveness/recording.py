"""What is judged: a recording of any rate, brought to mono at the rate that a check works at."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from vcfx_dsp.node import MAX_RATE_HZ, MIN_RATE_HZ
from vcfx_dsp.resampler import resample_signal

from ..errors import VoiceError
from ..speech_level import Mono

#: More than this is not listened to.
MAX_SECONDS: Final = 60.0


class Recording(Protocol):
    """Sound and its rate; `vcfx_models.reference.Clip` is one."""

    @property
    def audio(self) -> npt.NDArray[np.float32]:
        """float32, (frames,) or (channels, frames)."""

    @property
    def sample_rate(self) -> int:
        """In Hz, 8000 to 192000."""


def mono_at(recording: Recording, rate_hz: int, what: str) -> Mono:
    """Return the first 60 s of a recording as mono at a rate.

    Raises
    ------
    VoiceError
        If the rate is not allowed, samples are no numbers, or there are none; `what` names the recording.
    """
    if not MIN_RATE_HZ <= recording.sample_rate <= MAX_RATE_HZ:
        raise VoiceError(f"{what}: its rate is {recording.sample_rate} Hz; allowed: {MIN_RATE_HZ} to {MAX_RATE_HZ}")
    audio = np.atleast_2d(np.asarray(recording.audio, np.float32))[:, : int(MAX_SECONDS * recording.sample_rate)]
    if audio.size == 0:
        raise VoiceError(f"{what} is empty; needed: speech")
    if not np.isfinite(audio).all():
        raise VoiceError(f"{what} holds {int((~np.isfinite(audio)).sum())} samples that are no numbers; allowed: 0")
    mono = np.ascontiguousarray(audio.mean(axis=0, keepdims=True, dtype=np.float32))
    return np.asarray(resample_signal(mono, recording.sample_rate, rate_hz)[0], np.float32)
