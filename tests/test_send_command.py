"""`vcfx send`: words to messages, questions, exit codes, and what it loads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_surface import FakeSurface
from vcfx.__main__ import main
from vcfx.control import messages as m
from vcfx.control.local import ControlServer, place
from vcfx.control.words import message_from_words
from vcfx.errors import ControlError

pytestmark = pytest.mark.timeout(60)
Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    short = Path(f"/tmp/vcfx-send-{os.getpid()}-{time.monotonic_ns():x}")
    monkeypatch.setattr(place, "folders", lambda: iter([short]))
    yield short
    if short.exists():
        short.rmdir()


@pytest.fixture
def surface() -> FakeSurface:
    return FakeSurface()


@pytest.fixture
def served(surface: FakeSurface) -> Iterator[ControlServer]:
    with ControlServer(surface) as opened:
        yield opened


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("mute", m.Mute()),
        ("mute on", m.Mute(True)),
        ("mute OFF", m.Mute(False)),
        ("mute toggle", m.Mute(None)),
        ("bypass on=true", m.Bypass(True)),
        ("switch-preset deep", m.SwitchPreset("deep")),
        ("switch_preset preset=deep", m.SwitchPreset("deep")),
        ("switch-preset a=b.toml", m.SwitchPreset("a=b.toml")),
        ("switch-preset on", m.SwitchPreset("on")),
        ("switch-preset 7", m.SwitchPreset("7")),
        ("set-parameter pitch semitones -3", m.SetParameter("pitch", "semitones", -3.0)),
        ("set-parameter value=2 pitch semitones", m.SetParameter("pitch", "semitones", 2.0)),
        ("set-parameter low_cut type highpass", m.SetParameter("low_cut", "type", "highpass")),
        ("bypass-node echo", m.BypassNode("echo", None)),
        ("bypass-node echo off", m.BypassNode("echo", False)),
        ("step-preset", m.StepPreset(1)),
        ("step-preset -2", m.StepPreset(-2)),
        ("push-to-talk on", m.PushToTalk(True)),
        ("talk-mode push", m.TalkMode("push")),
        ("start-recording both", m.StartRecording("both", None)),
        ("start-recording path=take.flac", m.StartRecording("wet", "take.flac")),
        ("use-devices monitor=", m.UseDevices(None, None, "")),
        ("panic", m.Panic()),
    ],
)
def test_words_spell_messages(words: str, message: m.Message) -> None:
    assert message_from_words(words.split(" ")) == message


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("mutes", "did you mean 'mute'"),
        ("mute maybe", "on is 'maybe'"),
        ("mute on off", "mute takes one value; 'off' is one too many"),
        ("panic now", "panic takes nothing more"),
        ("set-parameter pitch semitones", "the field 'value' is missing"),
        ("set-parameter pitch semitones 1 2", "takes 3 values; '2' is one too many"),
        ("set-parameter pitch node=echo", "node is given twice"),
        ("set-parameter pitch semitones nan", "value is nan"),
        ("step-preset 1.5", "by is '1.5'"),
        ("talk-mode loud", "mode is 'loud'; allowed: open, push"),
    ],
)
def test_words_that_spell_nothing_are_refused(words: str, said: str) -> None:
    with pytest.raises(ControlError, match=said):
        message_from_words(words.split(" "))


def test_no_words_are_no_message() -> None:
    with pytest.raises(ControlError, match="the message is missing; allowed: switch-preset, "):
        message_from_words([])


def test_a_message_is_applied(served: ControlServer, surface: FakeSurface, capsys: Printed) -> None:
    assert main(["send", "set-parameter", "pitch", "semitones", "-3"]) == 0
    assert surface.received == [m.SetParameter("pitch", "semitones", -3.0)]
    assert capsys.readouterr().out == "applied in block 1 after 1.0 ms\n"
    assert main(["send", "mute", "on", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"applied": True, "block": 2, "waited_ms": 1.0, "note": ""}


def test_a_refusal_is_one_sentence(served: ControlServer, capsys: Printed) -> None:
    assert main(["send", "switch-preset", "missing"]) == 2
    printed = capsys.readouterr()
    assert printed.err == "vcfx: there is no preset 'missing'\n"
    assert printed.out == ""
    assert main(["send", "switch-preset", "missing", "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == {"applied": False, "reason": "there is no preset 'missing'"}


def test_questions_are_answered(served: ControlServer, capsys: Printed) -> None:
    assert main(["send", "mute"]) == 0
    capsys.readouterr()
    assert main(["send", "state"]) == 0
    assert capsys.readouterr().out == "preset 'deep'; muted; Microphone -> Headphones\n"
    assert main(["send", "state", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["chain"][0]["id"] == "pitch"
    assert main(["send", "meters"]) == 0
    assert "0 of 375 blocks late" in capsys.readouterr().out
    assert main(["send", "catalogue"]) == 0
    assert "presets:  deep, robot, voice-call" in capsys.readouterr().out
    assert main(["send", "running"]) == 0
    assert capsys.readouterr().out == f"{os.getpid()}\n"


def test_following_ends_with_the_voice(served: ControlServer, surface: FakeSurface, capsys: Printed) -> None:
    def change_and_end() -> None:
        time.sleep(0.3)
        surface.submit(m.Mute(True))
        time.sleep(0.2)
        served.close()

    thread = threading.Thread(target=change_and_end)
    thread.start()
    assert main(["send", "state", "--follow", "--json"]) == 0
    thread.join()
    states = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [state["muted"] for state in states] == [False, True]


def test_nobody_there_is_said(capsys: Printed) -> None:
    for words in (["mute"], ["state"], ["running"]):
        assert main(["send", *words]) == 2
        assert capsys.readouterr().err == "vcfx: no voice changer is running; start one with: vcfx run\n"


def test_several_voices_must_be_told_apart(served: ControlServer, capsys: Printed) -> None:
    other = FakeSurface()
    with ControlServer(other) as second:
        assert main(["send", "panic"]) == 2
        assert f"say which with --to: {served.address.name}, {second.address.name}" in capsys.readouterr().err
        assert main(["send", "panic", "--to", second.address.name]) == 0
        assert main(["send", "panic", "--to", "1"]) == 2
    assert other.received == [m.Panic()]


@pytest.mark.parametrize("words", [["mute", "--follow"], ["state", "now"], ["running", "--follow"]])
def test_what_does_not_go_together_is_refused(served: ControlServer, words: list[str]) -> None:
    assert main(["send", *words]) == 2


def test_it_loads_nothing_heavy_and_ends_on_interrupt(tmp_path: Path) -> None:
    code = (
        "import sys; from vcfx.__main__ import main; code = main(['send', 'mute'])\n"
        "heavy = {'numpy', 'numba', 'rich', 'vcfx.control.local.server', 'asyncio'} & set(sys.modules)\n"
        "sys.exit(f'loads {heavy}' if heavy else code)"
    )
    runtime = Path(f"/tmp/vcfx-r{os.getpid()}")
    runtime.mkdir(mode=0o700)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(runtime)}
    serve = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from fake_surface import FakeSurface\n"
        "from vcfx.control.local import ControlServer; server = ControlServer(FakeSurface())\n"
        "print(server.address.name, flush=True); time.sleep(60)"
    )
    voice_command = [sys.executable, "-c", serve, str(Path(__file__).parent)]
    with subprocess.Popen(voice_command, stdout=subprocess.PIPE, text=True, env=environment) as voice:
        try:
            assert voice.stdout is not None
            voice.stdout.readline()
            follow = [sys.executable, "-m", "vcfx", "send", "meters", "--follow", "--to", str(voice.pid)]
            sent = subprocess.run(
                [sys.executable, "-c", code.replace("'mute'", f"'mute', '--to', '{voice.pid}'")],
                env=environment, capture_output=True, text=True, check=False, timeout=30,
            )  # fmt: skip
            with subprocess.Popen(follow, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as following:
                assert following.stdout is not None
                following.stdout.readline()
                following.send_signal(signal.SIGINT)
                _, said = following.communicate(timeout=30)
        finally:
            voice.kill()
    (runtime / "vcfx" / f"{voice.pid}.sock").unlink()
    (runtime / "vcfx").rmdir()
    runtime.rmdir()
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout == "applied in block 1 after 1.0 ms\n"
    assert following.returncode == 130
    assert said == b"vcfx: interrupted\n"
