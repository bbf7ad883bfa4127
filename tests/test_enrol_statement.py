"""Whether a recording says a statement: heard by the recogniser that the extra `liveness` brings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import soundfile

from vcfx_models.enrolment.spoken_statement import check_statement_heard, heard_share
from vcfx_models.errors import ConsentError
from vcfx_models.reference import Clip

CLIP = Path(__file__).parents[1] / "vcfx" / "data" / "clip.flac"
SAID = "Good evening. This is my own voice, and in a moment you will hear me speak in quite another."
NOT_SAID = "Please tell the captain that both ships are safe in the harbour before the winter storms begin."
GERMAN = "Ich erlaube, dass meine Stimme nachgeahmt wird, bis zum ersten Januar."


@pytest.fixture(scope="module")
def clip() -> Clip:
    sound, rate_hz = soundfile.read(CLIP, dtype="float32")
    return Clip(sound, rate_hz, "clip.flac")


def test_what_is_said_is_heard(clip: Clip) -> None:
    assert check_statement_heard(clip, SAID, "clip.flac")
    share = heard_share(clip, SAID, "clip.flac")
    assert share is not None
    assert share >= 0.8


def test_what_is_not_said_is_refused(clip: Clip) -> None:
    with pytest.raises(
        ConsentError, match=r"clip\.flac: the statement was not heard \(\d+% of its words; needed: 50%\)"
    ):
        check_statement_heard(clip, NOT_SAID, "clip.flac")


def test_it_says_when_it_cannot_tell(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not check_statement_heard(clip, GERMAN, "clip.flac")
    assert not check_statement_heard(clip, "I agree.", "clip.flac")
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    assert not check_statement_heard(clip, NOT_SAID, "clip.flac")
