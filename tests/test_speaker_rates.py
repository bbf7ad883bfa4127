"""Error rates against theory, and which pieces of speech meet which."""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.stats import norm

from tools.evaluation.corpus import _archive
from tools.evaluation.error_rates import Trials, difference, equal_error, error_rates
from tools.evaluation.speaker_material import RATE_HZ, Person, Piece, held_out_people, pieces_of, with_noise
from tools.evaluation.speaker_trials import trials_by_condition
from tools.evaluation.two_speakers import KINDS, LENGTHS_S, drawn_recordings, likeness_of_groups, refusals
from tools.train.ge2e_split import is_held_out_speaker


def two_bells(distance: float, count: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return np.concatenate([rng.standard_normal(count), rng.standard_normal(count) + distance]), np.arange(
        2 * count
    ) >= count


@pytest.mark.parametrize("distance", [0.0, 1.0, 3.0])
def test_two_normal_distributions_cross_where_theory_says(distance: float) -> None:
    rate, threshold = equal_error(*two_bells(distance))
    assert rate == pytest.approx(norm.cdf(-distance / 2), abs=0.005)
    if distance:
        assert threshold == pytest.approx(distance / 2, abs=0.03)


def test_the_rate_of_a_few_scores_by_hand() -> None:
    scores = np.array([0.1, 0.2, 0.6, 0.5, 0.8, 0.9])
    is_same = np.array([False, False, False, True, True, True])
    assert equal_error(scores, is_same)[0] == pytest.approx(1 / 3)
    assert equal_error(scores, is_same, np.array([1.0, 1.0, 0.0, 1.0, 1.0, 1.0]))[0] == 0.0
    assert equal_error(-scores, is_same)[0] == pytest.approx(2 / 3)


def trials(people: int, spread: float, seed: int = 1) -> Trials:
    """Everyone meets everyone three times; some are easier to know than others."""
    rng = np.random.default_rng(seed)
    pairs = [(one, other) for one in range(people) for other in range(people) for _ in range(3)]
    enrolled, tested = np.array(pairs).T
    ease = spread * rng.standard_normal(people)
    return Trials((enrolled == tested) * (2.0 + ease[enrolled]) + rng.standard_normal(len(pairs)), enrolled, tested)


def test_rates_count_what_they_say_and_the_interval_is_of_speakers() -> None:
    alike, uneven = error_rates(trials(12, 0.0)), error_rates(trials(12, 2.0))
    assert (alike.speakers, alike.same, alike.different) == (12, 36, 12 * 11 * 3)
    for rates in (alike, uneven):
        assert rates.low <= rates.equal_error_rate <= rates.high
    assert uneven.high - uneven.low > alike.high - alike.low
    kept = trials(12, 0.0)
    accepted = kept.scores > alike.strict_threshold
    assert (accepted & ~kept.is_same).sum() / alike.different == pytest.approx(0.01, abs=0.003)
    assert (~accepted & kept.is_same).sum() / alike.same == alike.strict_refusal


def test_a_difference_of_encoders_is_surer_than_either_rate() -> None:
    one = trials(12, 1.0)
    worse = Trials(one.scores - 0.8 * one.is_same, one.enrolled, one.tested)
    more, low, high = difference(worse, one)
    assert more == pytest.approx(error_rates(worse).equal_error_rate - error_rates(one).equal_error_rate)
    assert 0.0 < low < more < high
    assert high - low < error_rates(worse).high - error_rates(worse).low
    assert difference(one, one) == (0.0, 0.0, 0.0)


def person(set_: str, name: str, seconds: float, across: bool) -> Person:
    rng = np.random.default_rng(len(name))
    side = (0.1 * rng.standard_normal(int(seconds * RATE_HZ))).astype(np.float32)
    return Person(set_, name, "f", (side, side), across)


def test_pieces_are_disjoint_and_noise_is_on_what_is_tested_only() -> None:
    people = [person("a", "one", 11.0, True), person("a", "two", 5.0, False)]
    noises = [np.ones(RATE_HZ, np.float32)]
    pieces = list(pieces_of(people, noises))
    counted = {(p.person, p.side, p.seconds, p.snr_db) for p in pieces}
    assert sum(p.seconds == 2 and p.person == 0 and p.side == "enrolled" for p in pieces) == 3
    assert sum(p.seconds == 10 and p.person == 0 for p in pieces) == 2
    assert {snr for who, side, _, snr in counted if who == 0 and side == "tested"} == {None, 20, 10, 5}
    assert {snr for who, side, _, snr in counted if side == "enrolled" or who == 1} == {None}
    noisy = next(p for p in pieces if p.snr_db == 10)
    clean = next(p for p in pieces if (p.side, p.seconds, p.number, p.snr_db) == ("tested", 5, noisy.number, None))
    power = np.mean((noisy.audio - clean.audio) ** 2) / np.mean(clean.audio**2)
    assert 10 * np.log10(power) == pytest.approx(-10.0, abs=0.01)
    silent = with_noise(clean.audio, [np.zeros(9, np.float32)], 5, np.random.default_rng(1))
    np.testing.assert_array_equal(silent, clean.audio)


def test_speakers_meet_within_their_set_only() -> None:
    people = [person(set_, f"{set_}{number}", 5.0, True) for set_ in "ab" for number in range(3)]
    pieces = [
        Piece(index, side, 5, number, None, np.zeros(1, np.float32))
        for index in range(6)
        for side in ("enrolled", "tested")
        for number in range(2)
    ]
    vectors = [np.eye(6, dtype=np.float32)[piece.person] for piece in pieces]
    found = trials_by_condition(people, pieces, vectors, across_recordings=True)
    assert list(found) == ["5 s"]
    rates = error_rates(found["5 s"])
    assert (rates.equal_error_rate, rates.speakers, rates.same, rates.different) == (0.0, 6, 24, 48)
    assert not trials_by_condition(people, pieces, vectors, across_recordings=False)


class _BySign:
    def embed(self, mono: np.ndarray) -> np.ndarray:
        share = float(np.mean(mono > 0.0))
        return np.array([share, 1.0 - share], np.float32)


def test_mixtures_hold_both_and_are_always_the_same() -> None:
    people = [person("a", "one", 11.0, True), person("a", "second", 11.0, True)]
    signs = [np.abs(people[0].sides[0]), -np.abs(people[1].sides[0])]
    people = [Person("a", str(n), "f", (side, side), True) for n, side in enumerate(signs)]
    recordings, again = (list(drawn_recordings(people, 4)) for _ in range(2))
    assert len(recordings) == 4 * len(KINDS) * len(LENGTHS_S)
    for one, other in zip(recordings, again, strict=True):
        np.testing.assert_array_equal(one.audio, other.audio)
        assert one.audio.size == one.seconds * RATE_HZ
        share = float(np.mean(one.audio > 0.0))
        if one.kind == "one":
            assert share in (0.0, 1.0)
        if one.kind == "two, halves":
            assert share == pytest.approx(0.5, abs=0.01)
        if one.kind == "two, a quarter":
            assert min(share, 1.0 - share) == pytest.approx(0.25, abs=0.01)
    assert likeness_of_groups(next(r for r in recordings if r.kind == "two, halves").audio, _BySign()) < 0.5
    table = refusals(recordings, [recording.kind.startswith("two") for recording in recordings])
    assert table["one"]["8"] == (0.0, 0.0, 0.0, 4)
    assert table["two, a quarter"]["20"][0] == 1.0


def test_everyone_whom_training_heard_is_left_out(tmp_path: Path) -> None:
    held = next(f"s{n}" for n in range(999) if is_held_out_speaker(f"set/s{n}"))
    heard = next(f"s{n}" for n in range(999) if not is_held_out_speaker(f"set/s{n}"))
    rows = [(held, "train", 0), (held, "train", 1), (heard, "train", 0), ("dev", "dev-source", 0)]
    columns = ["set", "speaker", "gender", "split", "path", "seconds", "text"]
    with (tmp_path / "MANIFEST.tsv").open("w", newline="") as file, tarfile.open(tmp_path / "set.tar", "w") as archive:
        table = csv.writer(file, delimiter="\t")
        table.writerow(columns)
        for speaker, split, number in rows:
            path = f"set/{speaker}/{number}.flac"
            sound = io.BytesIO()
            soundfile.write(
                sound, 0.1 * np.random.default_rng(number).standard_normal(5 * 16_000), 16_000, format="flac"
            )
            entry = tarfile.TarInfo(path)
            entry.size = len(sound.getvalue())
            sound.seek(0)
            archive.addfile(entry, sound)
            table.writerow(["set", speaker, "f", split, path, 5.0, ""])
    people = held_out_people(tmp_path)
    _archive(tmp_path / "set.tar").close()  # kept open for the next clip of the set
    _archive.cache_clear()
    assert {one.name: one.across_recordings for one in people} == {held: True, "dev": False}
    assert [one.sides[0].size for one in people if one.name == "dev"] == [int(2.5 * RATE_HZ)]
