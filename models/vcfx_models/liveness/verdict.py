"""The one judgement on an answer to a challenge: in time, right phrase, same speaker, live voice, little noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from ..geometry import SAMPLE_RATE
from ..reference_checks import speech_to_noise_db
from ..speaker_encoder import SpeakerEmbedder, SpeakerEncoder
from ..speech_level import Mono
from .challenge import Challenge
from .live_detector import LiveDetector
from .phrase_check import RATE_HZ, HeardPhrase, PhraseListener
from .recording import Recording, mono_at
from .same_speaker import LEAST_SIMILARITY, speaker_similarity

#: In more noise than this made voices pass for live ones (models/LIVENESS.md).
LEAST_SNR_DB: Final = 16.0


class LivenessJudge(Protocol):
    """Whatever tells live voices from others, such as a `LiveDetector`."""

    @property
    def least_score(self) -> float:
        """The lowest score that counts as live."""

    def score(self, mono: Mono) -> float:
        """Return how live speech, mono at 16 kHz, sounds: the higher, the more."""


class WordListener(Protocol):
    """Whatever hears words, such as a `PhraseListener`."""

    def hear(self, mono: Mono, phrase: Sequence[str]) -> HeardPhrase:
        """Return how much of a phrase is in speech, mono at 16 kHz."""


@dataclass(frozen=True, slots=True)
class LivenessVerdict:
    """What was found out about an answer.

    Parameters
    ----------
    passed
        Whether all checks were passed.
    phrase_score
        Share of the asked words that was heard in their order, 0 to 1.
    speaker_similarity
        Cosine between the embeddings of answer and sample.
    live_score
        Of the detector, a logarithm of odds: the higher, the more like a person at the microphone.
    reasons
        One sentence for each check that failed; empty if all passed.
    """

    passed: bool
    phrase_score: float
    speaker_similarity: float
    live_score: float
    reasons: tuple[str, ...]


def judge_answer(
    challenge: Challenge,
    answer: Recording,
    sample: Recording | npt.NDArray[np.float32],
    now: float,
    encoder: SpeakerEmbedder | None = None,
    listener: WordListener | None = None,
    detector: LivenessJudge | None = None,
) -> LivenessVerdict:
    """Judge an answer; all checks are made, so that all that is wrong is told at once. Takes about a second.

    Parameters
    ----------
    challenge
        What was asked.
    answer
        What was recorded after it was shown.
    sample
        The recording that is to be enrolled, or the speaker embedding, (256,), of it.
    now
        `time.monotonic()` when the answer was complete.
    encoder, listener, detector
        What says who speaks, which words, and whether live; None: those that come with the program.

    Raises
    ------
    VoiceError
        If a recording is empty or damaged.
    ModelError
        If pocketsphinx is not installed or a network is missing.
    """
    encoder = SpeakerEncoder() if encoder is None else encoder
    at_16k = mono_at(answer, RATE_HZ, "the answer")
    listener = PhraseListener() if listener is None else listener
    detector = LiveDetector() if detector is None else detector
    heard = listener.hear(at_16k, challenge.words)
    similarity = speaker_similarity(answer, sample, encoder)
    live_score = detector.score(at_16k)
    snr_db = speech_to_noise_db(mono_at(answer, SAMPLE_RATE, "the answer"))
    found = (
        _late(challenge, now),
        _phrase(heard),
        _speaker(similarity),
        _live(live_score, detector.least_score),
        _noise(snr_db),
    )
    reasons = tuple(reason for reason in found if reason)
    return LivenessVerdict(not reasons, heard.score, similarity, live_score, reasons)


def _late(challenge: Challenge, now: float) -> str:
    if not challenge.expired(now):
        return ""
    taken_s = challenge.seconds_taken(now)
    return f"the answer came after {taken_s:.0f} s; allowed: {challenge.seconds_allowed:g} s"


def _phrase(heard: HeardPhrase) -> str:
    if heard.spoken:
        return ""
    if heard.recited:
        return f"{len(heard.words)} words were heard where {heard.asked} were asked; say these and nothing else"
    return f"the phrase was not heard: {heard.right} of {heard.asked} words; say all of it, clearly"


def _speaker(similarity: float) -> str:
    if similarity >= LEAST_SIMILARITY:
        return ""
    return (
        f"the answer sounds like another person than the sample (likeness {similarity:.2f}; needed: "
        f"{LEAST_SIMILARITY:g})"
    )


def _live(score: float, least: float) -> str:
    if score >= least:
        return ""
    return (
        f"the answer does not sound like a person at the microphone (score {score:.1f}; needed: "
        f"{least:.1f}); a loudspeaker, a made voice or much noise sounds so"
    )


def _noise(snr_db: float) -> str:
    if snr_db >= LEAST_SNR_DB:
        return ""
    return (
        f"the answer is too noisy to judge: speech {snr_db:.0f} dB above the noise; needed: {LEAST_SNR_DB:g} dB; "
        "go nearer to the microphone"
    )
