"""The MIDI client with real ports, over a JACK server without hardware."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sound_servers import SoundServer, dummy_jack, needs_jack, run_python
from vcfx.control.midi.map_library import load_map
from vcfx.control.midi.midi_map import Binding, MidiMap
from vcfx.control.midi.target import parse_target

pytestmark = [pytest.mark.jack, needs_jack]
PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture
def server() -> Iterator[SoundServer]:
    with dummy_jack(48_000, 128) as running:
        yield running


def scene(name: str, server: SoundServer, folder: Path) -> dict[str, Any]:
    done = run_python(PROGRAMS / "midi_scenes.py", server.env, name, str(folder), timeout_s=120.0)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def test_every_kind_of_event_does_what_the_map_says(server: SoundServer, tmp_path: Path) -> None:
    found = scene("every_kind", server, tmp_path)
    assert found["received"] == [
        "SwitchPreset(preset='robot')",
        "SwitchVoice(voice='alder')",
        "SetParameter(node='echo', parameter='mix_ratio', value=1.0)",
        "SetParameter(node='gate', parameter='threshold_db', value=-45.0)",
        f"SetParameter(node='gate', parameter='threshold_db', value={-90.0 + 90.0 * (0.5 + 0.5 * 127 / 8191)!r})",
        "SetParameter(node='pitch', parameter='shift_semitones', value=-2.0)",
        "SetParameter(node='pitch', parameter='shift_semitones', value=-4.0)",
        "SetParameter(node='tone', parameter='cutoff_hz', value=20000.0)",
        "PushToTalk(held=True)",
        "PushToTalk(held=False)",
        "PushToTalk(held=True)",
        "PushToTalk(held=False)",
        "Bypass(on=None)",
        "Mute(on=None)",
        "StartRecording(sides='wet', path=None)",
        "StopRecording()",
        "BypassNode(node='echo', on=None)",
        "Panic()",
    ]
    assert found["last"] == "control 120 at 127, channel 1 -> panic"


def test_of_a_burst_nothing_is_lost(server: SoundServer, tmp_path: Path) -> None:
    found = scene("burst", server, tmp_path)
    assert found["received"] == 200
    assert found["in_order"]


def test_controllers_come_and_go_and_hold_nothing_when_gone(server: SoundServer, tmp_path: Path) -> None:
    found = scene("hot_plug", server, tmp_path)
    assert found["seen"] == [[False], [True], [True]]
    pedal = ["PushToTalk(held=True)", "PushToTalk(held=False)"]
    assert found["received"] == ["SwitchPreset(preset='deep')", *pedal, "SwitchPreset(preset='robot')", *pedal]


def test_what_is_learned_works_at_once_and_is_kept(server: SoundServer, tmp_path: Path) -> None:
    found = scene("learn", server, tmp_path)
    assert found["refused"] == "the target is 'preset'; name one: preset:NAME"
    assert found["learned"] == "control 20 and 52, channel 4 now works parameter:tone.order"
    assert found["received"] == ["SetParameter(node='tone', parameter='order', value=8.0)"]
    assert found["shown"] == ["control 20 and 52, channel 4", "parameter:tone.order"]
    assert found["kept"] == "parameter:tone.order"
    assert found["closed"] == "nothing listens to MIDI any more"
    assert found["files"] == ["map.toml"]


def test_lights_show_the_state_from_the_first_moment(server: SoundServer, tmp_path: Path) -> None:
    found = scene("lights", server, tmp_path)
    assert found["at_first"] == [[0x90, 36, 127], [0x90, 37, 0], [0x90, 40, 0], [0xB0, 7, 32]]
    assert found["switched"] == [[0x90, 36, 0], [0x90, 37, 127]]
    assert found["muted"] == [[0x90, 40, 127]]
    assert found["moved"] == [[0xB0, 7, 127]]
    assert found["again"] == [[0x90, 36, 0], [0x90, 37, 127], [0x90, 40, 127], [0xB0, 7, 127]]
    assert found["dark"] == [[0x90, 37, 0], [0x90, 40, 0]]


def test_a_program_change_changes_what_the_engine_plays(server: SoundServer, tmp_path: Path) -> None:
    found = scene("engine", server, tmp_path)
    assert found["applied"] == 21
    assert found["switched"] == "loud"
    assert found["heard"] == "Soft"
    assert found["shown"] == "program 0, channel 1 -> preset"


def test_of_a_burst_to_the_engine_nothing_is_lost(server: SoundServer, tmp_path: Path) -> None:
    found = scene("engine_burst", server, tmp_path)
    assert found["submitted"] == found["applied"] == 200
    assert found["preset"] == "soft"


def test_run_takes_orders_from_a_controller(server: SoundServer) -> None:
    with Pad(server) as pad:
        process = vcfx(
            server, "run", "-p", "plain", "--bank", "radio,plain", "--block", "256", "--midi", "pad", "--json"
        )
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        pad.play(0xC0, 0)
        presets = (json.loads(process.stdout.readline())["preset"] for _ in range(30))
        switched = "Radio" in presets
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert first["preset"] == "Plain"
    assert switched


PLAY = """
import sys, time, rtmidi
keys = rtmidi.MidiOut(rtapi=rtmidi.API_UNIX_JACK, name="pad").open_virtual_port("keys")
print("ready", flush=True)
for line in sys.stdin:
    keys.send_message([int(byte) for byte in line.split()])
keys.close_port()
keys.delete()
"""


class Pad:
    """A controller in a process of its own."""

    def __init__(self, server: SoundServer) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-c", PLAY], env=server.env, stdin=pipe, stdout=pipe, text=True, bufsize=1
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def play(self, *message: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, message)) + "\n")

    def __enter__(self) -> Pad:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=20)


def vcfx(server: SoundServer, *arguments: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-u", "-m", "vcfx", *arguments]
    return subprocess.Popen(command, env=server.env, stdout=pipe, stderr=pipe, text=True)


def test_ports_are_listed(server: SoundServer) -> None:
    with Pad(server):
        listed, errors = vcfx(server, "midi", "list", "--json").communicate(timeout=60)
        words, _ = vcfx(server, "midi", "list", "--midi-api", "jack").communicate(timeout=60)
    assert errors == ""
    found = json.loads(listed)
    assert found["apis"] == ["jack"]
    assert found["inputs"] == [{"number": 1, "name": "pad:keys", "api": "jack"}]
    assert found["outputs"] == []
    assert words == "inputs:\n   1  pad:keys  (jack)\noutputs:\n   none\n"


def test_the_monitor_says_what_events_would_do(server: SoundServer) -> None:
    with Pad(server) as pad:
        process = vcfx(server, "midi", "monitor", "keys")
        assert process.stdout is not None
        assert process.stdout.readline() == "listening to pad:keys with the map 'Default'; Ctrl-C ends\n"
        for message in ((0xC2, 4), (0x90, 20, 9), (0xB0, 64, 127)):
            pad.play(*message)
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert [" ".join(line.split()) for line in lines] == [
        "program 4, channel 3 -> preset",
        "note 20 (G#0) on, velocity 9, channel 1",
        "control 64 at 127, channel 1 -> push-to-talk",
    ]


def test_learn_writes_the_map(server: SoundServer, tmp_path: Path) -> None:
    path = tmp_path / "stage.toml"
    with Pad(server) as pad:
        process = vcfx(server, "midi", "learn", "--to", "preset:deep", "--map", str(path))
        assert process.stdout is not None
        assert process.stdout.readline() == "pad:keys: move or press what shall work preset:deep\n"
        pad.play(0xE0, 0, 3)
        refused = process.stdout.readline()
        pad.play(0x95, 60, 80)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert "a pitch bend cannot work 'preset:deep'; allowed: note, control, program" in refused
    assert rest == f"note 60, channel 6 now works preset:deep; written to {path}\n"
    assert load_map(str(path)) == MidiMap(
        "Stage", bindings=(Binding("note", parse_target("preset:deep"), 60, channel=6),)
    )


def test_what_is_not_there_is_said(server: SoundServer) -> None:
    for arguments, sentence in (
        (["monitor", "piano"], "there is no MIDI input 'piano'; there are: none"),
        (
            ["learn", "virtual", "--to", "mute", "--timeout", "0.2", "--map", "/x.toml"],
            "nothing that can work 'mute' came",
        ),
        (["list", "--midi-api", "jak"], "--midi-api is 'jak'; did you mean 'jack'?"),
    ):
        process = vcfx(server, "midi", *arguments)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert errors.startswith("vcfx: " + sentence)
