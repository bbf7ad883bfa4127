"""From recordings of a person to a `Voice`, or to the one sentence that says why they will not do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from vcfx_dsp.f0_tracker import F0Tracker
from vcfx_dsp.node import MAX_RATE_HZ, MIN_RATE_HZ
from vcfx_dsp.resampler import resample_signal

from .errors import VoiceError
from .geometry import F0_HIGHEST_HZ, F0_LOOKAHEAD_HOPS, F0_LOWEST_HZ, SAMPLE_RATE
from .log_mel_frames import log_mel_frames
from .reference_checks import check_clip, check_one_speaker, check_speech, speech_seconds
from .speaker_encoder import SpeakerEmbedder, SpeakerEncoder
from .speech_level import Mono, levelled
from .voice_file import Voice
from .voice_vector import spectrum_of_voice, unit

#: More of a clip than this is not listened to.
MAX_CLIP_S: Final = 120.0
LEAST_STRENGTH: Final = 0.6
#: A frame whose log F0 is farther from the median is an octave slip (0.69) or another error.
FARTHEST_LOG: Final = 0.55
LEAST_VOICED_FRAMES: Final = 100
#: Interquartile range of a normal distribution of standard deviation 1.
IQR_OF_NORMAL: Final = 1.349
SPREAD_LIMITS: Final = (0.03, 0.5)


class Clip(NamedTuple):
    """A recording: float32 (frames,) or (channels, frames), its rate in Hz, and what errors call it."""

    audio: npt.NDArray[np.float32]
    sample_rate: int
    file: str = "the recording"


class Melody(NamedTuple):
    """Robust statistics of F0: mean and spread of its natural logarithm, and the median in Hz."""

    log_mean: float
    log_spread: float
    median_hz: float


def voice_from_clips(clips: Sequence[Clip], name: str, encoder: SpeakerEmbedder | None = None) -> Voice:
    """Return the voice that is heard in recordings of one person, together 3 s of speech or more, better 5.

    Parameters
    ----------
    clips
        Each of any rate from 8000 to 192000 Hz; what is beyond 120 s of a clip is not used.
    name
        Of the voice.
    encoder
        What says who speaks; None: the network that comes with the program.

    Raises
    ------
    VoiceError
        If there is too little speech, none, too much noise or clipping, or more than one speaker: one sentence with
        the recording, the value and what is allowed.
    ModelError
        If the network is missing or damaged.
    """
    if not clips:
        raise VoiceError("there is no recording to make a voice of; give at least one")
    parts = [_prepared(Clip(*clip)) for clip in clips]
    files = ", ".join(Clip(*clip).file for clip in clips)
    seconds = check_speech(parts, files)
    encoder = SpeakerEncoder() if encoder is None else encoder
    whole = np.concatenate(parts)
    check_one_speaker(whole, encoder, files)
    lengths = np.array([speech_seconds(part) for part in parts], np.float32)
    embedding = np.stack([encoder.embed(part) for part in parts]).T @ (lengths / lengths.sum())
    spectrum = spectrum_of_voice(np.concatenate([log_mel_frames(part) for part in parts]))
    metadata = {"made_from": f"{len(clips)} recording{'s' if len(clips) > 1 else ''}", "seconds": f"{seconds:.1f}"}
    return Voice(name, unit(embedding), spectrum, *melody_of(parts, files), metadata)


def melody_of(parts: Sequence[Mono], files: str) -> Melody:
    """Return the statistics of F0 over the voiced frames of mono parts at 24 kHz.

    The mean is the median and the spread comes from the quartiles, both after frames far from the median have been
    left out, so that octave slips of the tracker have no say.
    """
    tracker = F0Tracker(SAMPLE_RATE, F0_LOWEST_HZ, F0_HIGHEST_HZ, F0_LOOKAHEAD_HOPS)
    logs: list[npt.NDArray[np.float64]] = []
    for part in parts:
        tracker.reset()
        found = tracker.track(part)
        logs.append(np.log(found.f0_hz[(found.f0_hz > 0.0) & (found.voicing >= LEAST_STRENGTH)]))
    log_f0 = np.concatenate(logs)
    if log_f0.size < LEAST_VOICED_FRAMES:
        raise VoiceError(f"{files}: hold {log_f0.size * 5} ms of voiced speech; needed: {LEAST_VOICED_FRAMES * 5} ms")
    near = log_f0[np.abs(log_f0 - np.median(log_f0)) < FARTHEST_LOG]
    near = near[np.abs(near - np.median(near)) < FARTHEST_LOG]
    low, middle, high = np.percentile(near, [25.0, 50.0, 75.0])
    spread = float(np.clip((high - low) / IQR_OF_NORMAL, *SPREAD_LIMITS))
    return Melody(float(middle), spread, float(np.exp(middle)))


def _prepared(clip: Clip) -> Mono:
    """Return a clip as mono at 24 kHz and at the level of the training."""
    if not MIN_RATE_HZ <= clip.sample_rate <= MAX_RATE_HZ:
        raise VoiceError(f"{clip.file}: its rate is {clip.sample_rate} Hz; allowed: {MIN_RATE_HZ} to {MAX_RATE_HZ}")
    audio = np.atleast_2d(np.asarray(clip.audio, np.float32))[:, : int(MAX_CLIP_S * clip.sample_rate)]
    if not np.isfinite(audio).all():
        count = int((~np.isfinite(audio)).sum())
        raise VoiceError(f"{clip.file}: holds {count} samples that are no numbers; allowed: 0")
    mono = audio.mean(axis=0, keepdims=True, dtype=np.float32)
    if mono.shape[1] == 0:
        raise VoiceError(f"{clip.file}: is empty; needed: speech")
    at_24k = resample_signal(np.ascontiguousarray(mono), clip.sample_rate, SAMPLE_RATE)[0]
    check_clip(audio, at_24k, clip.file)
    return levelled(at_24k)
