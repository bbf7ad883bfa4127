"""From recordings of a person to a `Voice`, or to the one sentence that says why they will not do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from vcfx_dsp.node import MAX_RATE_HZ, MIN_RATE_HZ
from vcfx_dsp.resampler import resample_signal

from .enrolment.partials import check_same_person, common_embedding, embedding_of
from .enrolment.speech_activity import only_speech, speech_activity
from .errors import VoiceError
from .geometry import SAMPLE_RATE
from .log_mel_frames import log_mel_frames
from .reference_checks import check_clip, check_one_speaker, check_seconds
from .speaker_encoder import SpeakerEmbedder, SpeakerEncoder
from .speech_level import Mono, levelled
from .voice_file import Voice
from .voice_vector import spectrum_of_voice

#: More of a clip than this is not listened to.
MAX_CLIP_S: Final = 120.0
#: A recording with less is no recording of the speaker.
LEAST_CLIP_SPEECH_S: Final = 0.3
#: A frame whose log F0 is farther from the median is an octave slip (0.69) or another error.
FARTHEST_LOG: Final = 0.55
LEAST_VOICED_FRAMES: Final = 100
#: Interquartile range of a normal distribution of standard deviation 1.
IQR_OF_NORMAL: Final = 1.349
SPREAD_LIMITS: Final = (0.03, 0.5)
#: Percentiles of F0 between which a voice usually lies.
USUAL_PERCENTILES: Final = (5.0, 95.0)


class Clip(NamedTuple):
    """A recording: float32 (frames,) or (channels, frames), its rate in Hz, and what errors call it."""

    audio: npt.NDArray[np.float32]
    sample_rate: int
    file: str = "the recording"


class Melody(NamedTuple):
    """Robust statistics of F0: mean and spread of its natural logarithm, the median and the usual range in Hz."""

    log_mean: float
    log_spread: float
    median_hz: float
    lowest_hz: float
    highest_hz: float


class HeardClip(NamedTuple):
    """A recording as it was listened to.

    Parameters
    ----------
    file
        What errors call it.
    mono
        At 24 kHz and at the level of the training.
    speech
        The same without what is not speech.
    seconds
        How much of it is speech.
    log_f0
        Natural logarithm of F0 in Hz, of the voiced frames of 5 ms within speech.
    """

    file: str
    mono: Mono
    speech: Mono
    seconds: float
    log_f0: npt.NDArray[np.float64]


def voice_from_clips(
    clips: Sequence[Clip],
    name: str,
    encoder: SpeakerEmbedder | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Voice:
    """Return the voice that is heard in recordings of one person, together 3 s of speech or more, better 5.

    Parameters
    ----------
    clips
        Each of any rate from 8000 to 192000 Hz; what is beyond 120 s of a clip is not used.
    name
        Of the voice.
    encoder
        What says who speaks; None: the network that comes with the program.
    metadata
        What else is known of the voice, by `voice_file.METADATA_KEYS`.

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
    heard = [heard_clip(Clip(*clip)) for clip in clips]
    files = ", ".join(clip.file for clip in heard)
    seconds = [clip.seconds for clip in heard]
    check_seconds(sum(seconds), files)
    for clip in heard:
        if clip.seconds < LEAST_CLIP_SPEECH_S:
            raise VoiceError(f"{clip.file}: no speech is heard in it; leave it out")
    encoder = SpeakerEncoder() if encoder is None else encoder
    embeddings = [embedding_of(clip.speech, encoder) for clip in heard]
    check_same_person(embeddings, seconds, [clip.file for clip in heard])
    for clip in heard:
        check_one_speaker(clip.mono, encoder, clip.file)
    spectrum = spectrum_of_voice(np.concatenate([log_mel_frames(clip.speech) for clip in heard]))
    melody = melody_of_logs(np.concatenate([clip.log_f0 for clip in heard]), files)
    known = {
        "made_from": f"{len(clips)} recording{'s' if len(clips) > 1 else ''}",
        "seconds": f"{sum(seconds):.1f}",
        "usual_pitch": f"{melody.lowest_hz:.0f} to {melody.highest_hz:.0f} Hz",
    }
    embedding = common_embedding(embeddings, seconds)
    return Voice(name, embedding, spectrum, *melody[:3], {**known, **(metadata or {})})


def heard_clip(clip: Clip) -> HeardClip:
    """Listen to a recording.

    Raises
    ------
    VoiceError
        If it is empty, silent, clipped or noisy.
    """
    mono = _prepared(clip)
    activity = speech_activity(mono)
    speech = only_speech(mono, activity.is_speech)
    return HeardClip(clip.file, mono, levelled(speech), activity.seconds, activity.log_f0)


def melody_of(parts: Sequence[Mono], files: str) -> Melody:
    """Return the statistics of F0 over the voiced frames of mono parts at 24 kHz; see `melody_of_logs`."""
    return melody_of_logs(np.concatenate([speech_activity(part).log_f0 for part in parts]), files)


def melody_of_logs(log_f0: npt.NDArray[np.float64], files: str) -> Melody:
    """Return the statistics of the natural logarithm of F0 in Hz, a value for each voiced frame of 5 ms.

    The mean is the median and the spread comes from the quartiles, both after frames far from the median have been
    left out, so that octave slips of the tracker have no say.
    """
    if log_f0.size < LEAST_VOICED_FRAMES:
        raise VoiceError(f"{files}: hold {log_f0.size * 5} ms of voiced speech; needed: {LEAST_VOICED_FRAMES * 5} ms")
    near = log_f0[np.abs(log_f0 - np.median(log_f0)) < FARTHEST_LOG]
    near = near[np.abs(near - np.median(near)) < FARTHEST_LOG]
    low, middle, high = np.percentile(near, [25.0, 50.0, 75.0])
    spread = float(np.clip((high - low) / IQR_OF_NORMAL, *SPREAD_LIMITS))
    lowest, highest = np.exp(np.percentile(near, USUAL_PERCENTILES))
    return Melody(float(middle), spread, float(np.exp(middle)), float(lowest), float(highest))


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
