"""The check of the phrase: hears what is said in synthetic speech, and nothing in what is none."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from vcfx_dsp.resampler import resample_signal
from vcfx_models.errors import ModelError
from vcfx_models.liveness.phrase_check import RATE_HZ, HeardPhrase, PhraseListener, words_in_order
from vcfx_models.liveness.words import WORDS
from vcfx_models.speech_level import Mono

SAID = ("please", "tell", "the", "captain", "that", "both", "ships", "are", "safe", "in", "the", "harbor")
FEW = st.lists(st.sampled_from("abcd"), max_size=8)


@pytest.fixture(scope="module")
def speech() -> Mono:
    sound, rate_hz = soundfile.read(Path(__file__).parent / "data" / "male.flac", dtype="float32")
    return np.asarray(resample_signal(sound[None], rate_hz, RATE_HZ)[0], np.float32)


@pytest.fixture(scope="module")
def listener() -> PhraseListener:
    return PhraseListener([*SAID, "testing", "one", "two", "three", *WORDS[:100]])


def test_what_is_said_is_heard(speech: Mono, listener: PhraseListener) -> None:
    heard = listener.hear(speech, SAID)
    assert heard.right >= 10
    assert heard.score == heard.right / len(SAID)
    assert heard.spoken


@pytest.mark.parametrize("gain", [0.001, 1.0])
def test_level_does_not_matter(speech: Mono, listener: PhraseListener, gain: float) -> None:
    assert listener.hear(gain * speech, SAID).right >= 10


def test_another_phrase_is_not_heard(speech: Mono, listener: PhraseListener) -> None:
    heard = listener.hear(speech, WORDS[:6])
    assert heard.right <= 1
    assert not heard.spoken


def test_the_same_words_in_another_order_are_not_the_phrase(speech: Mono, listener: PhraseListener) -> None:
    assert not listener.hear(speech, SAID[::-1]).spoken


@pytest.mark.parametrize("frames", [0, 1, 100, 8_000])
def test_silence_and_scraps_hold_no_phrase(listener: PhraseListener, frames: int) -> None:
    assert not listener.hear(np.zeros(frames, np.float32), SAID).spoken


def test_noise_holds_no_phrase(listener: PhraseListener) -> None:
    noise = np.random.default_rng(1).standard_normal(3 * RATE_HZ).astype(np.float32)
    assert not listener.hear(noise, SAID).spoken


def test_the_same_is_heard_each_time(speech: Mono, listener: PhraseListener) -> None:
    first = listener.words_in(speech)
    listener.words_in(np.random.default_rng(2).standard_normal(RATE_HZ).astype(np.float32))
    assert listener.words_in(speech) == first


def test_a_recital_of_all_words_is_no_phrase() -> None:
    heard = HeardPhrase(6, 6, WORDS)
    assert heard.score == 1.0
    assert heard.recited
    assert not heard.spoken


def test_four_of_six_words_do() -> None:
    assert HeardPhrase(4, 6, ("x",) * 6).spoken
    assert not HeardPhrase(3, 6, ("x",) * 6).spoken


@given(FEW, FEW)
def test_words_in_order_is_the_longest_common_subsequence(asked: list[str], heard: list[str]) -> None:
    def slow(one: list[str], other: list[str]) -> int:
        if not one or not other:
            return 0
        if one[0] == other[0]:
            return 1 + slow(one[1:], other[1:])
        return max(slow(one[1:], other), slow(one, other[1:]))

    assert words_in_order(asked, heard) == slow(asked, heard)


def test_without_the_recogniser_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(ModelError, match=r"pip install 'vcfx-voice\[liveness\]'"):
        PhraseListener()
