"""A small run of tools/fuzz_files.py: damaged files are converted or refused, never more."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tools import fuzz_files
from vcfx.files.result import Result


def test_damaged_files_are_converted_or_refused() -> None:
    tally = fuzz_files.fuzz(count=66, seed=7, jobs=2)
    assert tally.bad == []
    assert tally.counts["converted"] + tally.counts["refused"] == 66
    assert tally.counts["refused"] > 10
    assert tally.counts["converted"] > 10


def test_mutations_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    (tmp_path / "valid").mkdir()
    seeds = fuzz_files.valid_files(tmp_path / "valid")
    contents = []
    for seed in (1, 1, 2):
        tasks = list(fuzz_files.mutations(tmp_path, seeds, 30, seed))
        contents.append([(task.source.name, task.target.name, task.source.read_bytes()) for task in tasks])
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]
    unchanged = sum(content in seeds.values() for _, _, content in contents[0])
    assert unchanged < 3


@pytest.mark.parametrize("mutation", fuzz_files.MUTATIONS)
def test_every_mutation_takes_short_and_long_files(mutation: object) -> None:
    assert callable(mutation)
    for size in (17, 200, 50_000):
        data = bytearray(random.Random(size).randbytes(size))
        before = bytes(data)
        for number in range(5):
            if len(data) > 16:
                mutation(random.Random(number), data)
        assert bytes(data) != before


def test_a_bad_outcome_is_counted_and_kept(tmp_path: Path) -> None:
    (tmp_path / "valid").mkdir()
    seeds = fuzz_files.valid_files(tmp_path / "valid")
    crashed, lied = fuzz_files.mutations(tmp_path, seeds, 2, 1)
    tally = fuzz_files.Tally()
    tally.add(crashed, Result("a", "b", error="dead", error_kind="crashed"), tmp_path / "keep")
    lied.target.write_bytes(b"not sound")
    tally.add(lied, Result("a", "b"), None)
    assert (tally.counts["crashed"], tally.counts["unreadable"], len(tally.bad)) == (1, 1, 3)
    assert [path.name for path in (tmp_path / "keep").iterdir()] == [crashed.source.name]
