"""The verdict: every reason to refuse, alone and together, in a sentence with the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest

from vcfx_models.errors import VoiceError
from vcfx_models.liveness import Challenge, LivenessVerdict, judge_answer
from vcfx_models.liveness.phrase_check import HeardPhrase
from vcfx_models.liveness.same_speaker import LEAST_SIMILARITY
from vcfx_models.reference import Clip
from vcfx_models.speech_level import Mono

PHRASE = "apple river yellow thunder piano sugar"
CHALLENGE = Challenge(PHRASE, issued_at=1_000.0)
RATE_HZ = 48_000
NOISE = np.random.default_rng(1).standard_normal(4 * RATE_HZ).astype(np.float32)
SYLLABLES = np.arange(4 * RATE_HZ) % 24_000 < 18_000
SOUND = np.where(SYLLABLES, NOISE, 0.1 * NOISE).astype(np.float32)  # 20 dB
SAMPLE = np.eye(256, dtype=np.float32)[0]


@dataclass(frozen=True)
class Stage:
    """Stands in for all three: the encoder, the listener and the detector, and says what it is told to."""

    similarity: float = 0.99
    words: Sequence[str] = tuple(PHRASE.split())
    live: float = 2.0
    least_score: float = 0.5

    def embed(self, mono: Mono) -> Mono:
        out = np.zeros(256, np.float32)
        out[:2] = self.similarity, np.sqrt(1.0 - self.similarity**2)
        return out

    def hear(self, mono: Mono, phrase: Sequence[str]) -> HeardPhrase:
        assert mono.size == pytest.approx(SOUND.size / 3, abs=2)  # at 16 kHz
        return HeardPhrase(len(set(self.words) & set(phrase)), len(phrase), tuple(self.words))

    def score(self, mono: Mono) -> float:
        return self.live


def judged(
    stage: Stage,
    now: float = 1_010.0,
    sound: npt.NDArray[np.float32] = SOUND,
    sample: Clip | npt.NDArray[np.float32] = SAMPLE,
    rate_hz: int = RATE_HZ,
) -> LivenessVerdict:
    return judge_answer(CHALLENGE, Clip(sound, rate_hz), sample, now, stage, stage, stage)


def test_a_right_answer_passes() -> None:
    verdict = judged(Stage())
    assert verdict == LivenessVerdict(True, 1.0, verdict.speaker_similarity, 2.0, ())
    assert verdict.speaker_similarity == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("changes", "now", "reason"),
    [
        ({}, 1_041.0, "the answer came after 41 s; allowed: 30 s"),
        ({}, 999.0, "the answer came after -1 s; allowed: 30 s"),
        ({"words": ["apple", "river"]}, 1_010.0, "the phrase was not heard: 2 of 6 words"),
        ({"words": [*PHRASE.split(), *"abcdefg"]}, 1_010.0, "13 words were heard where 6 were asked"),
        ({"similarity": LEAST_SIMILARITY - 0.01}, 1_010.0, "sounds like another person than the sample"),
        ({"live": 0.49}, 1_010.0, "does not sound like a person at the microphone"),
    ],
)
def test_each_fault_is_refused_in_one_sentence(changes: dict[str, object], now: float, reason: str) -> None:
    verdict = judged(replace(Stage(), **changes), now)  # type: ignore[arg-type]
    assert not verdict.passed
    assert len(verdict.reasons) == 1
    assert reason in verdict.reasons[0]


def test_noise_is_refused_as_made_voices_pass_in_it() -> None:
    verdict = judged(Stage(), sound=np.where(SYLLABLES, NOISE, 0.3 * NOISE).astype(np.float32))
    assert not verdict.passed
    assert "too noisy to judge: speech 9 dB above the noise; needed: 16 dB" in " ".join(verdict.reasons)


def test_all_faults_are_told_at_once() -> None:
    verdict = judged(Stage(similarity=0.0, words=(), live=-3.0), 2_000.0)
    assert (verdict.passed, verdict.phrase_score, verdict.live_score) == (False, 0.0, -3.0)
    assert len(verdict.reasons) == 4


def test_values_at_the_thresholds_pass() -> None:
    verdict = judged(Stage(similarity=LEAST_SIMILARITY + 1e-4, words=PHRASE.split()[:4], live=0.5), 1_030.0)
    assert verdict.passed, verdict.reasons


def test_the_sample_may_be_a_recording() -> None:
    assert judged(Stage(similarity=0.1), sample=Clip(SOUND, RATE_HZ)).speaker_similarity == pytest.approx(1.0)


def test_stereo_is_mixed() -> None:
    assert judged(Stage(), sound=np.stack([SOUND, SOUND])).passed


def test_nothing_passes_with_a_score_that_is_no_number() -> None:
    verdict = judged(Stage(live=float("nan")))
    assert not verdict.passed


@pytest.mark.parametrize(
    ("sound", "rate_hz", "sentence"),
    [
        (np.zeros(0, np.float32), RATE_HZ, "the answer is empty"),
        (np.full(RATE_HZ, np.nan, np.float32), RATE_HZ, "the answer holds 48000 samples that are no numbers"),
        (SOUND, 7_999, "the answer: its rate is 7999 Hz; allowed: 8000 to 192000"),
    ],
)
def test_damaged_answers_are_errors(sound: npt.NDArray[np.float32], rate_hz: int, sentence: str) -> None:
    with pytest.raises(VoiceError, match=sentence):
        judged(Stage(), sound=sound, rate_hz=rate_hz)


@pytest.mark.parametrize("sample", [np.zeros(256, np.float32), np.ones(255, np.float32), np.full(256, np.nan, "f4")])
def test_embeddings_that_are_none_are_errors(sample: npt.NDArray[np.float32]) -> None:
    with pytest.raises(VoiceError, match="the sample: its embedding"):
        judged(Stage(), sample=sample)
