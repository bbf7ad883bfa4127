"""A few hundred mutations of everything that papers are read from; `tools/fuzz_bundles.py` makes more."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

from vcfx_models.errors import VoiceError
from vcfx_models.papers.bundle import read_bundle


@pytest.fixture(scope="module")
def fuzzer() -> ModuleType:
    path = Path(__file__).parents[1] / "tools" / "fuzz_bundles.py"
    spec = importlib.util.spec_from_file_location("fuzz_bundles", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_bundles"] = module  # dataclasses ask for their module
    spec.loader.exec_module(module)
    return module


def test_mutations_are_refused_or_read(fuzzer: ModuleType) -> None:
    tally = fuzzer.fuzz(seed=5, count=300)
    assert not tally.bad
    for kind in ("bundle, changed", "bundle, signed again", "locked", "notices", "trusted", "log"):
        assert tally.counts[kind, "refused"] > 0
    assert tally.counts["bundle, signed again", "read"] > 5, "a fuzzer that only makes rubbish checks little"
    assert tally.counts["bundle, changed", "read"] == 0


def test_what_breaks_is_seen(fuzzer: ModuleType) -> None:
    def look(content: bytes) -> str:
        if content == b"one":
            raise VoiceError("a\nb")
        if content == b"two":
            raise KeyError("x")
        return "forged" if content == b"three" else "equal"

    tally = fuzzer.Tally()
    for content in (b"one", b"two", b"three", b"four"):
        tally.add("kind", content, look)
    assert [(verdict, content) for _, verdict, content in tally.bad] == [
        ("crashed", b"one"),
        ("crashed", b"two"),
        ("forged", b"three"),
    ]


def test_a_sentence_never_holds_what_a_file_made_it_say(fuzzer: ModuleType) -> None:
    bundle = fuzzer.good_bundle()
    for seed in range(400):
        content = fuzzer.signed_again(random.Random(seed), bundle)
        sentence = ""
        try:
            read_bundle(content, "v")
        except VoiceError as error:
            sentence = str(error)
        assert sentence.isprintable()
