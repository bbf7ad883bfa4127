"""Challenges: new each time, of words that the recogniser knows and does not mix up, and for a limited time."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from pocketsphinx import get_model_path

from vcfx_models.liveness.challenge import PHRASE_BITS, PHRASE_WORDS, Challenge, new_challenge
from vcfx_models.liveness.words import WORDS


def pronunciations() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in Path(get_model_path("en-us/cmudict-en-us.dict")).read_text(encoding="utf-8").splitlines():
        word, *sounds = line.split()
        found.setdefault(word, sounds)
    return found


def edits(one: list[str], other: list[str]) -> int:
    row = list(range(len(other) + 1))
    for at, sound in enumerate(one, 1):
        row = [at, *row]
        for place, second in enumerate(other, 1):
            row[place] = min(row[place - 1] + 1, row[place + 1] + 1, row[place] + (sound != second))
        row.pop()
    return row[-1]


def test_a_phrase_has_six_different_words_of_the_list() -> None:
    words = new_challenge(0.0).words
    assert len(words) == len(set(words)) == PHRASE_WORDS == 6
    assert set(words) <= set(WORDS)


def test_a_phrase_is_not_guessed() -> None:
    phrases = math.factorial(len(WORDS)) // math.factorial(len(WORDS) - 6)
    assert pytest.approx(math.log2(phrases)) == PHRASE_BITS
    assert PHRASE_BITS > 46.0


def test_phrases_differ_and_use_the_whole_list_evenly() -> None:
    phrases = [new_challenge(0.0).words for _ in range(3_000)]
    assert len(set(phrases)) == 3_000
    counts = Counter(word for words in phrases for word in words)
    expected = 3_000 * 6 / len(WORDS)
    assert set(counts) == set(WORDS)
    assert max(counts.values()) < 2.0 * expected  # 9 standard deviations
    assert min(counts.values()) > 0.3 * expected
    firsts = Counter(words[0] for words in phrases)
    assert len(firsts) > 0.95 * len(WORDS)


def test_every_word_is_known_to_the_recogniser_and_three_sounds_from_any_other() -> None:
    known = pronunciations()
    assert len(set(WORDS)) == len(WORDS)
    assert not [word for word in WORDS if word not in known]
    near = [(one, other) for one, other in combinations(WORDS, 2) if edits(known[one], known[other]) < 3]
    assert not near


def test_all_but_rare_sounds_of_english_occur() -> None:
    known = pronunciations()
    assert len({sound for word in WORDS for sound in known[word]}) >= 36


@pytest.mark.parametrize(
    ("now", "expired"), [(100.0, False), (129.9, False), (130.0, False), (130.1, True), (99.0, True), (math.nan, True)]
)
def test_time_runs_out(now: float, expired: bool) -> None:
    assert Challenge("apple river", 100.0).expired(now) is expired


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan])
def test_some_time_must_be_allowed(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds_allowed"):
        new_challenge(0.0, seconds)
