"""Voice files: round trip, atomic writing, and no damage that goes unnoticed or ends in anything but one sentence."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx_models import voice_library
from vcfx_models.errors import VoiceError
from vcfx_models.voice_file import Voice, read_voice, voice_bytes
from vcfx_models.voice_library import find_voice, list_voices
from vcfx_models.voice_on_disk import load_voice
from voice_models import random_voice, save_voice

GOOD = voice_bytes(random_voice("someone"))


def same(one: Voice, other: Voice) -> bool:
    equal = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("embedding", "spectrum"))
    numbers = ("name", "f0_log_mean", "f0_log_spread", "median_hz", "metadata")
    return equal and all(getattr(one, name) == getattr(other, name) for name in numbers)


def test_round_trip_is_exact(tmp_path: Path) -> None:
    voice = dataclasses.replace(random_voice("Zoë"), metadata={"licence": "CC0", "source": "a «reader»"})
    save_voice(voice, tmp_path / "deep" / "zoe.vcfxvoice")
    assert same(load_voice(tmp_path / "deep" / "zoe.vcfxvoice"), voice)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["zoe.vcfxvoice"]


@given(length=st.integers(0, len(GOOD) - 1))
def test_a_truncated_file_is_refused_in_one_sentence(length: int) -> None:
    with pytest.raises(VoiceError, match=r"^v: .*damaged") as caught:
        read_voice(GOOD[:length], "v")
    assert "\n" not in str(caught.value)


@given(bit=st.integers(0, 8 * len(GOOD) - 1))
def test_a_flipped_bit_is_noticed_or_harmless(bit: int) -> None:
    content = bytearray(GOOD)
    content[bit // 8] ^= 1 << bit % 8
    sentence = ""
    try:
        voice = read_voice(bytes(content), "v")
    except VoiceError as error:
        sentence = str(error)
    if sentence:
        assert sentence.startswith("v: ")
        assert "\n" not in sentence
    else:
        assert same(voice, random_voice("someone"))


@given(content=st.one_of(st.binary(max_size=300), st.binary(min_size=1, max_size=60).map(lambda tail: GOOD + tail)))
def test_rubbish_is_refused(content: bytes) -> None:
    with pytest.raises(VoiceError):
        read_voice(content, "v")


def test_large_and_foreign_files_are_refused() -> None:
    from safetensors.numpy import save

    with pytest.raises(VoiceError, match="larger than 100 kB"):
        read_voice(bytes(100_001), "v")
    with pytest.raises(VoiceError, match="but none of a voice"):
        read_voice(save({"a": np.zeros(3, np.float32)}), "v")
    with pytest.raises(VoiceError, match="format '2'; this vcfx reads 1"):
        read_voice(save({"a": np.zeros(3, np.float32)}, {"vcfx_voice": "2"}), "v")
    with pytest.raises(VoiceError, match=r"embedding is missing; allowed: the shape \(256,\)"):
        read_voice(save({"a": np.zeros(3, np.float32)}, {"vcfx_voice": "1"}), "v")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "name is ''"),
        ({"name": "two\nlines"}, "name is 'two"),
        ({"embedding": np.zeros(256, np.float32)}, "length 0; allowed: 1"),
        ({"embedding": np.full(256, np.nan, np.float32)}, "embedding holds a value that is no number"),
        ({"spectrum": np.zeros(80, np.float32)}, r"spectrum is float32 \(80,\)"),
        ({"spectrum": np.zeros(160)}, "spectrum is float64"),
        ({"f0_log_mean": 9.0}, "f0_log_mean is 9"),
        ({"f0_log_spread": 0.0}, "f0_log_spread is 0"),
        ({"median_hz": float("nan")}, "median_hz is nan"),
        ({"metadata": {"age": "7"}}, "metadata has the key 'age'"),
        ({"metadata": {"source": "a\0"}}, "source is 'a"),
    ],
)
def test_what_is_not_allowed_is_named(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(VoiceError, match=sentence):
        dataclasses.replace(random_voice("someone"), **change)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "v.vcfxvoice"
    save_voice(random_voice("old"), path)

    def fail(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(VoiceError, match="cannot be written: No space left"):
        save_voice(random_voice("new"), path)
    assert load_voice(path).name == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    ours, theirs = tmp_path / "ours", tmp_path / "data" / "vcfx" / "voices"
    monkeypatch.setattr(voice_library, "VOICES_FOLDER", ours)
    monkeypatch.setattr(voice_library, "user_voices_folder", lambda: theirs)
    return ours, theirs


def test_voices_are_found_by_name_and_the_users_come_first(folders: tuple[Path, Path]) -> None:
    ours, theirs = folders
    for folder, file, name in ((ours, "anna", "Anna"), (ours, "bert", "Bert"), (theirs, "bert", "My Bert")):
        save_voice(random_voice(name), folder / f"{file}.vcfxvoice")
    (theirs / "broken.vcfxvoice").write_bytes(b"rubbish")
    assert [(info.name, info.origin, bool(info.problem)) for info in list_voices()] == [
        ("anna", "vcfx", False),
        ("bert", "user", False),
        ("broken", "user", True),
    ]
    assert find_voice("bert", "live").name == "My Bert"
    assert find_voice("", "files").name == "Anna"
    assert find_voice(str(ours / "bert.vcfxvoice"), "live").name == "Bert"
    with pytest.raises(VoiceError, match="there is no voice 'ana'; did you mean 'anna'"):
        find_voice("ana", "live")
    with pytest.raises(VoiceError, match="no such voice file"):
        find_voice("nowhere/anna.vcfxvoice", "live")


def test_without_voices_that_is_said(folders: tuple[Path, Path]) -> None:
    assert list_voices() == []
    with pytest.raises(VoiceError, match="no voice is installed; give the path"):
        find_voice("", "files")
    with pytest.raises(VoiceError, match="there is no voice 'anna', as none is installed"):
        find_voice("anna", "live")


def test_the_header_is_plain_json() -> None:
    size = int.from_bytes(GOOD[:8], "little")
    assert json.loads(GOOD[8 : 8 + size])["__metadata__"]["name"] == "someone"
