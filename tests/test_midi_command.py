"""`vcfx midi` and the MIDI options of a live run, as far as they need no MIDI."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import platformdirs
import pytest

from fake_surface import FakeSurface
from vcfx.__main__ import main
from vcfx.control.midi import live_client
from vcfx.errors import ControlError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the user's maps."""
    monkeypatch.setattr(platformdirs, "user_config_path", lambda _name: tmp_path)
    return tmp_path / "midi"


def test_maps_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.mkdir()
    (folder / "bad.toml").write_text("name = 3\n")
    assert main(["midi", "show"]) == 0
    words = capsys.readouterr().out
    assert "bad      damaged: bad.toml: schema_version is None; allowed: 1 (yours)" in words
    assert "default  For most keyboards and pads" in words
    assert str(folder) in words
    assert main(["midi", "show", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(info["name"], info["damaged"]) for info in listed] == [("bad", True), ("default", False)]


def test_a_map_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder.parent / "stage.toml"
    path.write_text(
        'schema_version = 1\nname = "Stage"\npresets = ["deep"]\nchannel = 3\n'
        '[[binding]]\non = "control"\nnumber = 7\nbits = 14\nto = "parameter:tone.cutoff_hz"\nlow = 200\n'
        'curve = "log"\n'
        '[[binding]]\non = "note"\nnumber = 60\nto = "mute"\n'
    )
    assert main(["midi", "show", str(path)]) == 0
    words = capsys.readouterr().out
    assert "hears channel 3; soft take-over off; lights off" in words
    assert "presets by place: deep" in words
    assert "control 7 and 39  -> parameter:tone.cutoff_hz  (from 200 to its end, log curve)" in words
    assert "note 60           -> mute  (toggle)" in words
    assert main(["midi", "show", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["binding"][1] == {"on": "note", "number": 60, "to": "mute"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "defautl"], "there is no MIDI map 'defautl'; did you mean 'default'?"),
        (["learn", "--to", "preset"], "--to is 'preset'; name one: preset:NAME"),
        (["learn", "--to", "mut"], "there is no target 'mut'; did you mean 'mute'?"),
        (["learn", "--to", "mute", "--timeout", "0"], "--timeout is 0; allowed: more than 0 seconds"),
        (["monitor", "--map", "nothing"], "there is no MIDI map 'nothing'"),
    ],
)
def test_what_is_wrong_is_said_before_midi_is_needed(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["midi", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"vcfx: {sentence}")


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    live_client.add_arguments(parser)
    return parser.parse_args(arguments)


def test_no_client_is_opened_where_no_port_is_named() -> None:
    assert live_client.open_client(options(), FakeSurface()) is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--midi-map", "default"], "--midi-map is 'default', but no port is; give it with --midi PORT"),
        (["--midi-lights"], "--midi-lights is 'auto', but no port is; give it with --midi PORT"),
        (["--midi", "pad", "--midi-map", "none"], "there is no MIDI map 'none'"),
        (["--midi", "pad", "--midi-api", "oss"], "--midi-api is 'oss'; known: alsa, auto, coremidi, jack, winmm"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: list[str], sentence: str) -> None:
    with pytest.raises(ControlError) as caught:
        live_client.open_client(options(*arguments), FakeSurface())
    assert str(caught.value).startswith(sentence)
