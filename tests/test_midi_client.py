"""The MIDI client with a MIDI system that does not exist."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from midi_surface import MidiSurface
from vcfx.control import messages as m
from vcfx.control.live_state import Catalogue, CatalogueEntry
from vcfx.control.midi import client as client_module
from vcfx.control.midi.client import BUSY, MidiClient, MidiRequest
from vcfx.control.midi.ports import MidiPort, Receive
from vcfx.errors import ControlError

TEXT = """
schema_version = 1
name = "Test"
[[binding]]
on = "program"
to = "preset"
[[binding]]
on = "note"
number = 1
to = "preset:missing"
[[binding]]
on = "control"
number = 7
to = "parameter:echo.mix_ratio"
[[binding]]
on = "control"
number = 64
to = "push-to-talk"
"""


class NoHardware:
    """A MIDI system with one port, whose events the test makes."""

    apis = ("none",)
    receive: Receive

    def __init__(self, _api: str = "auto") -> None:
        self.closed = False

    def ports(self, _direction: str) -> list[MidiPort]:
        return []

    def make_input(self, receive: Receive) -> NoHardware:
        NoHardware.receive = staticmethod(receive)
        return self

    name, is_fetched = "made", False

    def close(self) -> None:
        self.closed = True


class SlowSurface(MidiSurface):
    """Answers nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.waiting: list[Future[m.Outcome]] = []
        self._answering = threading.Lock()

    def submit(self, message: m.Message) -> Future[m.Outcome]:
        answer = super().submit(message)
        with self._answering:
            if self.let_go.is_set():
                return answer
            self.waiting.append(Future())
            return self.waiting[-1]

    def answer_all(self) -> None:
        with self._answering:
            self.let_go.set()
        for waiting in self.waiting:
            waiting.set_result(m.Applied(1, 1.0))


@pytest.fixture
def play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[MidiSurface], contextlib.AbstractContextManager[MidiClient]]:
    monkeypatch.setattr(client_module, "MidiSystem", NoHardware)
    path = tmp_path / "map.toml"
    path.write_text(TEXT)

    @contextlib.contextmanager
    def playing(surface: MidiSurface) -> Iterator[MidiClient]:
        with MidiClient(surface, MidiRequest(("virtual",), str(path))) as client:
            yield client

    return playing


Play = Callable[[MidiSurface], contextlib.AbstractContextManager[MidiClient]]


def until(reached: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 20.0
    while not reached():
        assert time.monotonic() < end_s, "it did not come about in time"
        time.sleep(0.002)


def send(*messages: Sequence[int]) -> None:
    for message in messages:
        NoHardware.receive(message)


def test_a_surface_that_lags_gets_every_press_and_the_last_position(play: Play) -> None:
    surface = SlowSurface()
    count = 2 * BUSY
    with play(surface):
        send(*([0xC0, place % 2] for place in range(BUSY)))
        until(lambda: len(surface.waiting) == BUSY)
        for place in range(count):
            send([0xB0, 7, place % 120], [0xC0, place % 2])
        send([0xB0, 7, 127])
        time.sleep(0.05)
        assert len(surface.waiting) < BUSY + count // 2, "what it cannot answer waits"
        surface.answer_all()
        until(lambda: surface.value("echo", "mix_ratio") == 1.0)
    presets = [message.preset for message in surface.received if isinstance(message, m.SwitchPreset)]
    moves = [message for message in surface.received if isinstance(message, m.SetParameter)]
    assert presets == ["deep", "robot"] * ((BUSY + count) // 2)
    assert 1 <= len(moves) <= count + 1
    assert moves[-1] == m.SetParameter("echo", "mix_ratio", 1.0)


def test_a_burst_to_a_surface_that_keeps_up_is_carried_out_whole(play: Play) -> None:
    surface = MidiSurface()
    with play(surface):
        send(*([0xB0, 7, place % 128] for place in range(1_000)))
        until(lambda: len(surface.received) == 1_000)


def test_what_is_refused_is_shown(play: Play) -> None:
    surface = MidiSurface()
    with play(surface):
        send([0x90, 1, 5])
        until(lambda: surface.state().midi is not None and surface.state().midi.problem != "")  # type: ignore[union-attr]
        shown = surface.state().midi
        assert shown is not None
        assert shown.problem == "there is no preset 'missing'"
        assert shown.last_event == "note 1 (C#-1) on, velocity 5, channel 1 -> preset:missing"
        assert [port.name for port in shown.ports] == ["made"]
        assert (shown.map, shown.learning) == ("Test", "")
    assert surface.state().midi is None, "nothing is shown of a client that is gone"


def test_the_end_lets_go_of_what_is_held(play: Play) -> None:
    surface = MidiSurface()
    with play(surface):
        send([0xB0, 64, 127])
        until(lambda: m.PushToTalk(True) in surface.received)
    assert surface.received[-1] == m.PushToTalk(False)


class FaultySurface(MidiSurface):
    """Fails at the first message."""

    def submit(self, message: m.Message) -> Future[m.Outcome]:
        if message == m.SwitchPreset("deep"):
            raise RuntimeError("what nobody thought of")
        return super().submit(message)


def test_a_failure_does_not_end_it(play: Play) -> None:
    surface = FaultySurface()
    with play(surface):
        send([0xC0, 0])
        until(lambda: surface.state().midi is not None and "what nobody" in surface.state().midi.problem)  # type: ignore[union-attr]
        send([0xC0, 1])
        until(lambda: surface.received == [m.SwitchPreset("robot")])


class ForgetfulSurface(MidiSurface):
    """Has no bank; cannot say what there is at first, and has one more preset later."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def catalogue(self) -> Catalogue:
        self.asked += 1
        if self.asked == 1:
            raise ControlError("the engine does not answer")
        names = ("deep", "broken", "robot", "new")[: min(self.asked + 1, 4)]
        presets = tuple(CatalogueEntry(name, name, problem="damaged" if name == "broken" else "") for name in names)
        return Catalogue(presets, (), (), (), ())


def test_places_are_looked_up_again_where_something_is_missing(play: Play) -> None:
    surface = ForgetfulSurface()
    with play(surface):
        send([0xC0, 1])
        until(lambda: surface.received == [m.SwitchPreset("robot")])
        send([0xC0, 2])
        until(lambda: surface.asked == 3)
        time.sleep(0.05)
        send([0xC0, 2])
        until(lambda: surface.received[1:] == [m.SwitchPreset("new")])
