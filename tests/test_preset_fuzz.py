from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def fuzzer() -> ModuleType:
    path = Path(__file__).parents[1] / "tools" / "fuzz_presets.py"
    spec = importlib.util.spec_from_file_location("fuzz_presets", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_mutated_presets_are_read_or_refused(fuzzer: ModuleType) -> None:
    refused, broken = fuzzer.fuzz(seed=7, count=300)
    assert not broken
    assert 150 < refused < 300, "a fuzzer that only makes rubbish, or none, checks little"
