"""The panel in a real browser, before a real server process, with a surface that keeps what it is told."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from fake_surface import CHAIN, FakeSurface
from vcfx.control import messages as m
from vcfx.control.live_state import (
    Meters,
    MidiBindingState,
    MidiPortState,
    MidiState,
    NodeState,
    ParameterState,
    RecordingState,
)
from vcfx.control.local import ControlServer, place
from vcfx.web.access import Access
from vcfx.web.listening import listen
from vcfx.web.web_process import WebProcess

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="not installed: chromium")
Kind = TypeVar("Kind")

CUTOFF = ParameterState("cutoff_hz", 1_000.0, 4_000.0, 20.0, 20_000.0, (), False, False, True, "treble limit")
BITS = ParameterState("bits", 8, 8, 1, 24, (), True, False, True, "width of a sample")
HARD = ParameterState("hard", 0, 0, 0, 1, (), True, False, True, "whether it clips")
MODE = ParameterState("pitch_mode", "follow", "follow", None, None, ("follow", "fixed"), False, False, True, "")
WAVE = ParameterState("wave", "sine", "sine", None, None, ("sine", "saw", "square", "noise"), False, False, True, "")
CRUSH = NodeState("crush", "crush", False, 0.0, (CUTOFF, BITS, HARD, MODE, WAVE))
MIDI = MidiState(
    (MidiPortState("Knobs", True),), "default", "", "control 7 = 93",
    (MidiBindingState("control 7", "parameter:crush.cutoff_hz"),), "",
)  # fmt: skip


class PanelSurface(FakeSurface):
    """Carries out what the panel shows: parameters, nodes, recording, talk mode; its levels move."""

    def __init__(self) -> None:
        super().__init__()
        self._state = dataclasses.replace(self._state, chain=(*CHAIN, CRUSH), midi=MIDI)
        self._began = time.monotonic()

    def show(self, **changes: Any) -> None:
        """Change the state as if another client had."""
        self._state = dataclasses.replace(self._state, revision=self._state.revision + 1, **changes)
        for watcher in list(self._watchers):
            watcher(self._state)

    def meters(self) -> Meters:
        seconds = time.monotonic() - self._began
        level = -20.0 + 15.0 * math.sin(7.0 * seconds)
        return dataclasses.replace(
            super().meters(), seconds=seconds, input_peak_db=level, input_rms_db=level - 8.0, late_blocks=3
        )

    def of(self, kind: type[Kind]) -> list[Kind]:
        """What was received of one type."""
        return [message for message in self.received if isinstance(message, kind)]

    def _change(self, message: m.Message) -> str:
        refusal = super()._change(message)
        changes: dict[str, object] = {}
        match message:
            case m.SetParameter(node, name, value):
                changes = {"chain": tuple(_moved(each, node, name, value) for each in self._state.chain)}
            case m.BypassNode(node, on):
                changes = {"chain": tuple(_bypassed(each, node, on) for each in self._state.chain), "changed": True}
            case m.TalkMode(mode):
                changes = {"talk_mode": mode, "talking": mode == "open"}
            case m.StartRecording(sides):
                changes = {"recording": RecordingState(sides, ("/music/take.flac",), 0.0, "")}
            case m.StopRecording():
                changes = {"recording": None}
            case m.LearnMidi(target):
                changes = {"midi": dataclasses.replace(MIDI, learning=target)}
            case m.SavePreset("taken"):
                return "there is a preset 'taken' already"
            case _:
                pass
        self._state = dataclasses.replace(self._state, **changes)  # type: ignore[arg-type]
        return refusal


def _moved(node: NodeState, wanted: str, name: str, value: Any) -> NodeState:
    if node.id != wanted:
        return node
    moved = (dataclasses.replace(each, value=value) if each.name == name else each for each in node.parameters)
    return dataclasses.replace(node, parameters=tuple(moved))


def _bypassed(node: NodeState, wanted: str, on: bool | None) -> NodeState:
    if node.id != wanted:
        return node
    return dataclasses.replace(node, bypassed=not node.bypassed if on is None else on)


class Stage:
    """A voice without an engine, its control socket and its web server's process."""

    def __init__(self, token: str | None = None) -> None:
        self.surface = PanelSurface()
        self.control = ControlServer(self.surface)
        listening = listen("127.0.0.1", 0)
        self.port: int = listening.getsockname()[1]
        access = Access("127.0.0.1", self.port, token)
        self.web = WebProcess(listening, access, self.control.address, lambda _problem: None)
        self.address = f"http://127.0.0.1:{self.port}/"

    def close(self) -> None:
        self.web.close()
        self.control.close()


@contextlib.contextmanager
def control_folder() -> Iterator[None]:
    """Keep control sockets where other tests do not meet them."""
    with tempfile.TemporaryDirectory(prefix="vcfx-p") as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, "folders", lambda: iter([Path(name)]))
        yield


@contextlib.contextmanager
def opened_stage(token: str | None = None) -> Iterator[Stage]:
    """A stage that is closed afterwards."""
    with control_folder():
        stage = Stage(token)
        try:
            yield stage
        finally:
            stage.close()


@contextlib.contextmanager
def opened_browser() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def opened_page(browser: Browser, address: str, **context: Any) -> Iterator[Page]:
    """The panel with its line up; what the page's scripts complain of fails the test."""
    complaints: list[str] = []
    with contextlib.closing(browser.new_context(**context)) as opened:
        page = opened.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None)
        page.goto(address)
        yield page
    assert not complaints


def until(found: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something holds; fails where it does not."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)
