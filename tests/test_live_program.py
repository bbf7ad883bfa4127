"""What `vcfx run`, `vcfx serve` and `vcfx ui` share, and the keys and display of `vcfx run`."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rich.console import Console

from fake_surface import FakeSurface
from live_voice import RATE_HZ, wait_until
from vcfx.cli import live_clients
from vcfx.cli.live_keys import LiveKeys, key_help
from vcfx.cli.live_program import LiveProgram, add_live_arguments, open_live
from vcfx.cli.live_view import Foot, live_view
from vcfx.cli.run import report
from vcfx.control import messages as m
from vcfx.control.live_state import RecordingState
from vcfx.control.surface import ControlSurface
from vcfx.engine.engine import Engine
from vcfx.engine.fake_backend import FakeBackend, FakeDevice, tone
from vcfx.errors import ControlError, PresetError, VcfxError
from vcfx.presets import Preset


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice("both", 1, 2, source=tone(440.0, RATE_HZ), host_api="ASIO")


@pytest.fixture(autouse=True)
def no_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_clients, "CLIENTS", ())


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_live_arguments(parser)
    return parser.parse_args(["-i", "both", "-o", "both", "-p", "plain", *arguments])


def program(device: FakeDevice, *arguments: str) -> contextlib.AbstractContextManager[LiveProgram]:
    return open_live(options(*arguments), FakeBackend([device]))


def test_the_options_work_from_the_first_sample(device: FakeDevice, tmp_path: Path) -> None:
    take = tmp_path / "take.flac"
    given = ("--bank", "plain, podcast", "--push-to-talk", "--record", str(take), "--record-sides", "both")
    with program(device, *given) as running:
        control = running.control
        wait_until(lambda: control.engine.blocks > 20)
        assert control.state().talk_mode == "push"
        assert not np.concatenate(device.played[:20], axis=1).any()
        assert control.catalogue().bank == ("plain", "podcast")
        assert report(running)["talking"] is False
    assert running.problem == ""
    assert running.exit_code() == 0
    dry, wet = (soundfile.read(tmp_path / f"take-{side}.flac")[0] for side in ("dry", "wet"))
    assert len(dry) == len(wet) > 0
    assert np.abs(dry).max() > 0.4
    assert not wet.any()


def test_a_bank_that_names_nothing_is_an_error_before_sound(device: FakeDevice) -> None:
    with pytest.raises(PresetError, match="there is no preset 'podcats'"), program(device, "--bank", "podcats"):
        pass
    assert device.played == []


def test_recordings_that_cannot_be_are_told_before_anything_starts(device: FakeDevice, tmp_path: Path) -> None:
    (tmp_path / "take-wet.wav").write_bytes(b"precious")
    given = ("--record", str(tmp_path / "take.wav"), "--record-sides", "both")
    with pytest.raises(VcfxError, match=r"take-wet\.wav' exists already"), program(device, *given):
        pass
    assert device.played == []


def client_module(name: str, events: list[str], fails: bool = False) -> types.ModuleType:
    module = types.ModuleType(name)

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument(f"--{name}", action="store_true")

    def open_client(
        options: argparse.Namespace, surface: ControlSurface
    ) -> contextlib.AbstractContextManager[object] | None:
        if fails:
            raise ControlError(f"{name} cannot open")
        return opened() if getattr(options, name) else None

    @contextlib.contextmanager
    def opened() -> Iterator[str]:
        events.append(f"+{name}")
        yield name
        events.append(f"-{name}")

    module.add_arguments, module.open_client = add_arguments, open_client  # type: ignore[attr-defined]
    return module


def test_clients_open_before_sound_and_close_in_reverse(device: FakeDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    for name in ("alpha", "beta", "gamma"):
        monkeypatch.setitem(sys.modules, name, client_module(name, events))
    monkeypatch.setitem(sys.modules, "omega", client_module("omega", events, fails=True))
    monkeypatch.setattr(live_clients, "CLIENTS", ("alpha", "beta", "gamma"))
    with program(device, "--alpha", "--gamma") as running:
        assert running.clients == ["alpha", "gamma"]
        wait_until(lambda: running.control.engine.blocks > 2)
    assert events == ["+alpha", "+gamma", "-gamma", "-alpha"]
    device.played.clear()
    monkeypatch.setattr(live_clients, "CLIENTS", ("alpha", "omega"))
    with pytest.raises(ControlError, match="omega cannot open"), program(device, "--alpha"):
        pass
    assert events[4:] == ["+alpha"]  # its context ended with the error
    assert device.played == []


def test_every_key_sends_its_message() -> None:
    surface = FakeSurface()
    keys = LiveKeys(surface, ("deep", "robot"))
    for key in "bmnpx12390 rü":
        keys.press(key)
    assert surface.received == [
        m.Bypass(),
        m.Mute(),
        m.StepPreset(1),
        m.StepPreset(-1),
        m.Panic(),
        m.SwitchPreset("deep"),
        m.SwitchPreset("robot"),
        m.StartRecording("wet"),
    ]
    surface.submit(m.PushToTalk(False))
    keys.press(" ")
    keys.press(" ")
    assert surface.received[-2:] == [m.PushToTalk(True), m.PushToTalk(False)]
    assert not keys.quit
    keys.press("Q")
    assert keys.quit


def test_a_refusal_is_shown_until_something_works() -> None:
    surface = FakeSurface()
    keys = LiveKeys(surface, ("missing",))
    keys.press("1")
    assert keys.notice == "there is no preset 'missing'"
    keys.press("m")
    assert keys.notice == ""


def test_the_keys_and_the_display_fit_eighty_columns() -> None:
    surface = FakeSurface()
    surface.submit(m.PushToTalk(True))
    recording = RecordingState("wet", ("/home/someone/Music/vcfx/vcfx-2030-01-01-120000.flac",), 61.0, "")
    state = replace(surface.state(), recording=recording, muted=True, bypassed=True, voice="alder", changed=True)
    bank = tuple(f"preset-{number}" for number in range(12))
    assert len(key_help(state, bank)) <= 76
    with Engine(Preset("empty"), RATE_HZ, 128) as engine:
        stats = engine.statistics()
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(live_view(state, surface.meters(), stats, True, Foot(key_help(state, bank))))
    text = console.export_text()
    for words in ("Deep (changed), voice alder", "MUTED", "ON AIR", "1:01", "[1-9]", "[space] talk", "[q] quit"):
        assert words in text
