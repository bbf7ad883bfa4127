"""Recordings of a running voice say of their wet side what converted files say."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import soundfile

from live_voice import PRESETS, running_voice
from vcfx.control import messages as m
from vcfx.engine import recording
from vcfx.presets import NodeEntry, Preset
from vcfx.provenance.disclosure import Disclosure, SpokenVoice
from vcfx.provenance.tags import read_tags

PITCH = Preset("Pitch", chain=(NodeEntry("pitch", "pitch", {"shift_semitones": 3.0}),))


@pytest.mark.parametrize("ending", [".flac", ".wav", ".ogg"])
def test_the_wet_side_tells_of_a_disguise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    monkeypatch.setitem(PRESETS, "pitch", PITCH)
    with running_voice("loud") as voice:
        voice.done(m.StartRecording("both", str(tmp_path / f"take{ending}")))
        voice.done(m.SwitchPreset("pitch"))
        time.sleep(0.3)
        voice.done(m.StopRecording())
    wet, is_whole = read_tags(tmp_path / f"take-wet{ending}")
    assert wet is not None
    assert is_whole
    assert wet.alterations == ("pitch",)
    assert wet.made_at
    assert read_tags(tmp_path / f"take-dry{ending}") == (None, False)
    assert soundfile.info(tmp_path / f"take-wet{ending}").frames > 0


def test_every_voice_that_spoke_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = [SpokenVoice("one", "", "1" * 16, "f" * 16), SpokenVoice("two", "", "2" * 16, "f" * 16)]
    started = time.monotonic()

    def voices_of(_: object) -> Disclosure:
        return Disclosure((heard[time.monotonic() - started > 0.5],))

    monkeypatch.setattr(recording, "disclosure_of", voices_of)
    with running_voice("loud") as voice:
        started = time.monotonic()
        voice.done(m.StartRecording("wet", str(tmp_path / "take.flac")))
        time.sleep(1.0)
        with soundfile.SoundFile(next(tmp_path.glob(".take.flac.part"))) as growing:
            assert growing.comment.startswith("Artificial voice 'one'"), "from the first moment on"
        voice.done(m.StopRecording())
    said, is_whole = read_tags(tmp_path / "take.flac")
    assert said is not None
    assert is_whole
    assert said.voices == tuple(heard)
