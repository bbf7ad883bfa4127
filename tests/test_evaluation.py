"""The pure parts of tools/evaluate: text, edits, intervals, the list of conversions, sums, the report."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.evaluation.cache import Cache
from tools.evaluation.corpus import Clip, read_manifest
from tools.evaluation.errors import EvaluationError
from tools.evaluation.figures import figures_by_set, figures_of
from tools.evaluation.intervals import estimate
from tools.evaluation.labels import LABELS, shown
from tools.evaluation.melody import best_lag_frames, compare_melody, median_f0_hz, steady
from tools.evaluation.protocol import choose_conversions
from tools.evaluation.report import write_report
from tools.evaluation.run_record import read_record, run_record, write_json
from tools.evaluation.sound import Sound, active_level_db, split_at_pause
from tools.evaluation.words import comparable, edit_distance, number_in_words, sign_errors, word_errors

RATE_HZ = 16_000
TEXTS = st.text("abc", max_size=8)


def tone(seconds: float, amplitude: float = 0.5) -> Sound:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return Sound((amplitude * np.sin(2 * np.pi * 200 * times)).astype(np.float32), RATE_HZ)


def clips() -> list[Clip]:
    sources = [
        Clip(name, f"{name}-{gender}{speaker}", gender, "dev-source", f"{name}/{gender}{speaker}/{take}.opus", 5.0, "A")
        for name in ("one", "two")
        for gender in "fm"
        for speaker in range(2)
        for take in range(6)
    ]
    targets = [
        Clip("three", f"t{gender}{speaker}", gender, "dev-target", f"three/{gender}{speaker}.opus", 15.0, "")
        for gender in "fm"
        for speaker in range(5)
    ]
    others = [Clip("one", "x", "f", "train", "one/x/0.opus", 5.0, "A")]
    return sources + targets + others


def row(number: int, **changes: Any) -> dict[str, Any]:
    usual = {
        "id": f"c{number:03d}",
        "set": ("one", "two")[number % 2],
        "level_in_db": -20.0,
        "level_out_db": -23.0,
        "words": 10,
        "signs": 40,
        "base_source_word_edits": 1,
        "base_output_word_edits": 3,
        "base_source_sign_edits": 2,
        "base_output_sign_edits": 6,
        "ge2e_target": 0.7 + 0.01 * number,
        "ge2e_nearer_target": float(number % 4 > 0),
    }
    return {**usual, **changes}


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Mr. Smith's 3 dogs -- and THE cat.", "mister smiths three dogs and the cat"),
        ("In 1845, 1,234 men", "in eighteen forty five one thousand two hundred thirty four men"),
        ("the 21st and 20th; 0", "the twenty first and twentieth zero"),
        ("50% of 007", "fifty percent of zero zero seven"),
        ("don\u2019t\u2014stop", "dont stop"),
    ],
)
def test_text_is_made_comparable(written: str, spoken: str) -> None:
    assert comparable(written) == spoken
    assert comparable(spoken) == spoken


def test_other_languages_keep_their_letters() -> None:
    assert comparable("Die \u00f6stliche Siedlung, 3!", "de") == "die \u00f6stliche siedlung 3"
    assert comparable("\u4f60\u597d\uff0c \u4e16\u754c\u3002", "zh") == "\u4f60\u597d\u4e16\u754c"


def test_numbers_are_read_out() -> None:
    assert number_in_words(999_999_999).startswith("nine hundred ninety nine million nine hundred")
    assert [number_in_words(number) for number in (0, 10, 40, 100, 2005)] == [
        "zero",
        "ten",
        "forty",
        "one hundred",
        "two thousand five",
    ]


@given(TEXTS, TEXTS, TEXTS)
def test_edit_distance_is_a_distance(one: str, other: str, third: str) -> None:
    distance = edit_distance(one, other)
    assert distance == edit_distance(other, one)
    assert (distance == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance <= max(len(one), len(other))
    assert edit_distance(one, third) <= distance + edit_distance(other, third)


def test_edits_are_counted() -> None:
    assert edit_distance("kitten", "sitting") == 3
    assert word_errors("the cat sat", "a cat sat down") == (2, 3)
    assert word_errors("", "hallucinated words") == (2, 0)
    assert sign_errors("a b c", "abd") == (1, 3)


def test_interval_covers_a_known_mean_as_often_as_it_says() -> None:
    draws = np.random.default_rng(5).normal(3.0, 1.0, (200, 40))
    found = [estimate(list(values)) for values in draws]
    covered = np.mean([one is not None and one.low <= 3.0 <= one.high for one in found])
    assert 0.88 <= covered <= 0.99


def test_rate_is_all_edits_over_all_words() -> None:
    found = estimate([1.0, 9.0], [10.0, 10.0])
    assert found is not None
    assert (found.mean, found.low, found.high, found.count) == (0.5, 0.1, 0.9, 2)
    assert estimate([]) is None
    assert estimate([1.0], [0.0]) is None


def test_list_of_conversions_is_fixed_and_each_prefix_the_same() -> None:
    chosen = choose_conversions(clips(), 48, seed=1)
    assert choose_conversions(clips()[::-1], 48, seed=1) == chosen
    assert choose_conversions(clips(), 16, seed=1) == chosen[:16]
    assert choose_conversions(clips(), 48, seed=2) != chosen


def test_list_of_conversions_is_balanced_and_keeps_to_the_dev_split() -> None:
    chosen = choose_conversions(clips(), 48)
    assert {made.source.split for made in chosen} == {"dev-source"}
    assert {made.target.split for made in chosen} == {"dev-target"}
    assert set(Counter((made.source.set, made.genders) for made in chosen).values()) == {6}
    assert set(Counter(made.source.speaker for made in chosen).values()) == {6}
    assert max(Counter(made.target.speaker for made in chosen).values()) <= 5
    # No source speaker is tied to targets of one gender.
    assert len({(made.source.speaker, made.target.gender) for made in chosen}) == 16


def test_without_sources_or_targets_there_is_a_sentence() -> None:
    with pytest.raises(EvaluationError, match="no clip of the split 'dev-target'"):
        choose_conversions([clip for clip in clips() if clip.split != "dev-target"], 4)
    too_long = [Clip("one", "s", "f", "dev-source", "p", 40.0, "A")]
    with pytest.raises(EvaluationError, match="no clip of the split 'dev-source'"):
        choose_conversions(too_long, 4)


def test_manifest_is_read_with_quotes_in_texts(tmp_path: Path) -> None:
    head = "set\tspeaker\tgender\tsplit\tpath\tseconds\tlicence\ttext\n"
    (tmp_path / "MANIFEST.tsv").write_text(f'{head}a\ts\tf\ttrain\ta/s/1.opus\t2.5\tCC0\t"He said\n', encoding="utf-8")
    assert read_manifest(tmp_path) == [Clip("a", "s", "f", "train", "a/s/1.opus", 2.5, '"He said')]
    with pytest.raises(EvaluationError, match="lacks MANIFEST"):
        read_manifest(tmp_path / "nowhere")


def test_level_leaves_pauses_out() -> None:
    loud = tone(1.0)
    padded = Sound(np.concatenate([loud.audio, np.zeros(RATE_HZ, np.float32)]), RATE_HZ)
    assert active_level_db(loud) == pytest.approx(-9.03, abs=0.02)
    assert active_level_db(padded) == pytest.approx(-9.03, abs=0.02)
    assert active_level_db(Sound(np.zeros(RATE_HZ, np.float32), RATE_HZ)) == -120.0


def test_targets_are_cut_at_the_pause() -> None:
    pause = np.zeros(RATE_HZ // 5, np.float32)
    whole = Sound(np.concatenate([tone(2.5).audio, pause, tone(1.5).audio]), RATE_HZ)
    first, rest = split_at_pause(whole, 0.6)
    assert 2.5 <= first.seconds <= 2.7
    assert np.array_equal(np.concatenate([first.audio, rest.audio]), whole.audio)


def test_melody_is_compared_at_the_right_lag() -> None:
    steps = np.random.default_rng(2).standard_normal(400).cumsum()
    f0 = np.where(np.arange(400) % 100 < 70, 150 * 2 ** (0.02 * steps), 0.0)
    late, lag = np.roll(1.7 * f0**1.2, 7), 7
    late[:lag] = 0.0
    found = compare_melody(list(f0), list(late), lag)
    assert found["f0_correlation"] == pytest.approx(1.0)
    assert found["f0_correlation_steady"] == pytest.approx(1.0)
    assert found["voicing_agreement"] == 1.0
    assert found["lag_ms"] == 35.0
    assert compare_melody(list(f0), list(late), 0)["voicing_agreement"] < 0.95
    assert compare_melody(list(f0), [0.0] * 400, 0)["f0_correlation"] is None
    assert median_f0_hz([0.0, 100.0, 300.0, 200.0]) == 200.0


def test_jumps_of_the_sources_track_are_left_out_of_the_steady_figure() -> None:
    f0 = 150 * 2 ** (0.3 * np.sin(np.arange(400) / 25))
    jumpy = f0.copy()
    jumpy[200:203] /= 2
    jumpy[:30] = 0.0
    used = steady(jumpy)
    assert not used[196:208].any()
    assert not used[:35].any()
    assert used[35:196].all()
    assert used[208:].all()
    found = compare_melody(list(jumpy), list(f0), 0)
    assert found["f0_correlation"] < 0.95
    assert found["f0_correlation_steady"] == pytest.approx(1.0)
    # The output's jumps are its own fault.
    assert compare_melody(list(f0), list(jumpy), 0)["f0_correlation_steady"] < 0.95


@pytest.mark.parametrize("lag", [-9, 0, 12])
def test_lag_is_found_on_the_loudness(lag: int) -> None:
    swell = np.repeat(np.random.default_rng(3).uniform(0.01, 0.5, 40), RATE_HZ // 20)
    sound = np.random.default_rng(4).standard_normal(swell.size) * swell
    moved = np.roll(sound, round(0.005 * RATE_HZ) * lag)
    pair = [Sound(audio.astype(np.float32), RATE_HZ) for audio in (sound, moved)]
    assert best_lag_frames(*pair) == lag


def test_figures_are_sums_and_means() -> None:
    rows = [row(number) for number in range(8)]
    figures = figures_of(rows)
    assert figures["wer_output"]["mean"] == 0.3
    assert figures["wer_added"]["mean"] == 0.2
    assert figures["cer_source"]["mean"] == 0.05
    assert figures["ge2e_target"]["mean"] == 0.735
    assert figures["ge2e_nearer_target"]["mean"] == 0.75
    assert figures["level_change_db"] == {"mean": -3.0, "low": -3.0, "high": -3.0, "count": 8}
    assert "f0_correlation" not in figures
    assert set(figures) <= set(LABELS)
    assert {name: found["wer_output"]["count"] for name, found in figures_by_set(rows).items()} == {"one": 4, "two": 4}


def test_figures_skip_what_was_not_measured() -> None:
    rows = [row(0, f0_correlation=None), row(1, f0_correlation=0.5)]
    assert figures_of(rows)["f0_correlation"]["count"] == 1


def test_cache_measures_once(tmp_path: Path) -> None:
    calls: list[int] = []

    def measure() -> dict[str, float]:
        calls.append(1)
        return {"score": 1.5}

    for _ in range(2):
        assert Cache(tmp_path).value("meter", "ab12", measure) == {"score": 1.5}
    Cache(tmp_path).value("meter-2", "ab12", measure)
    assert len(calls) == 2


def test_cache_keeps_sounds_by_content(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    key = cache.keep_sound(tone(0.2))
    kept = cache.sound(key)
    assert kept is not None
    assert np.max(np.abs(kept.audio - tone(0.2).audio)) < 1e-4
    assert cache.keep_sound(tone(0.2, 0.4)) != key
    assert cache.sound("0" * 32) is None


def test_report_lays_runs_side_by_side(tmp_path: Path) -> None:
    rows = [row(number) for number in range(8)]
    runs = [
        run_record(name, {"count": 8, "seed": 1}, f"tools/evaluate --system {name}", rows) for name in ("none", "other")
    ]
    odd = {"system": "other", "command": "c", "revision": "r", "note": "Note.", "odd": [odd_row()]}
    picture = tmp_path / "report" / "spectrograms_c000.png"
    write_report(tmp_path / "REPORT.md", runs, [odd], [("c000", picture)])
    text = (tmp_path / "REPORT.md").read_text(encoding="utf-8")
    wer = "30.0 % [30.0, 30.0]"
    assert f"| WER | {wer} | {wer} |" in text
    assert "|  | none | other |\n| --- | --- | --- |" in text
    assert "the floor: the source, unconverted" in text
    assert "| silence | -120.0 | -120.0 | -120.0 | - | - |  |" in text
    assert "![c000](report/spectrograms_c000.png)" in text
    assert not list(tmp_path.glob("*.part"))


def odd_row() -> dict[str, Any]:
    return {"kind": "silence", "level_in_db": -120.0, "level_out_db": -120.0, "peak_out_db": -120.0}


def test_runs_survive_their_file(tmp_path: Path) -> None:
    record = run_record("none", {"count": 1, "seed": 1}, "c", [row(0)])
    write_json(tmp_path / "run.json", record)
    assert read_record(tmp_path / "run.json") == json.loads(json.dumps(record))
    (tmp_path / "other.json").write_text("[]", encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"other\.json' is not a run"):
        read_record(tmp_path / "other.json")
    with pytest.raises(EvaluationError, match="cannot read the run"):
        read_record(tmp_path / "none.json")


def test_figures_are_written_with_their_unit() -> None:
    figure = {"mean": 0.1234, "low": 0.1, "high": 0.15, "count": 3}
    assert shown("wer_output", figure) == "12.3 % [10.0, 15.0]"
    assert shown("ge2e_target", figure) == "0.123 [0.100, 0.150]"
    assert shown("dnsmos_ovrl", None) == "-"


def test_changed_phonemes_are_counted_over_those_of_the_source() -> None:
    rows = [row(0, phonemes=30, phoneme_edits=3), row(1, phonemes=10, phoneme_edits=3)]
    assert figures_of(rows)["phoneme_changes"]["mean"] == pytest.approx(0.15)
    assert "phoneme_changes" not in figures_of([row(0)])
