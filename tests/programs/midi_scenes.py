"""Play a controller on a JACK server and print what the MIDI client did, as JSON.

python midi_scenes.py SCENE FOLDER [COUNT]
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import rtmidi

from live_voice import running_voice
from midi_surface import MidiSurface
from vcfx.control import messages as m
from vcfx.control.live_control import LiveControl
from vcfx.control.live_state import MidiState
from vcfx.control.midi.client import MidiClient, MidiRequest
from vcfx.control.midi.map_library import load_map
from vcfx.control.surface import ControlSurface

WAIT_S = 20.0
EVERYTHING = """
schema_version = 1
name = "Everything"
[[binding]]
on = "program"
to = "preset"
[[binding]]
on = "note"
number = 36
last = 40
to = "voice"
[[binding]]
on = "control"
number = 7
to = "parameter:echo.mix_ratio"
[[binding]]
on = "control"
number = 8
bits = 14
to = "parameter:gate.threshold_db"
[[binding]]
on = "pitch-bend"
to = "pitch"
[[binding]]
on = "pressure"
to = "parameter:tone.cutoff_hz"
curve = "log"
[[binding]]
on = "control"
number = 64
to = "push-to-talk"
[[binding]]
on = "note"
number = 50
to = "push-to-talk"
[[binding]]
on = "note"
number = 51
to = "bypass"
[[binding]]
on = "note"
number = 52
to = "mute"
[[binding]]
on = "note"
number = 53
to = "record"
[[binding]]
on = "note"
number = 54
to = "bypass:echo"
[[binding]]
on = "control"
number = 120
to = "panic"
"""


class Surface(MidiSurface):
    """Keeps when each message came."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def submit(self, message: m.Message) -> Future[m.Outcome]:
        self.times.append(time.perf_counter())
        return super().submit(message)

    @property
    def midi(self) -> MidiState:
        shown = self.state().midi
        assert shown is not None
        return shown


class Controller:
    """A controller: its keys can be captured and its lights played, as JACK names what hardware does."""

    def __init__(self) -> None:
        self.keys = rtmidi.MidiOut(rtapi=rtmidi.API_UNIX_JACK, name="pad_capture").open_virtual_port("1")
        self.lights = rtmidi.MidiIn(rtapi=rtmidi.API_UNIX_JACK, name="pad_playback").open_virtual_port("1")

    def shown(self, count: int) -> list[list[int]]:
        """Wait for so many messages to the lights and return them, and what more there is by then."""
        found: list[list[int]] = []
        until(
            lambda: len(found) >= count,
            lambda: found.extend(iter(lambda: (self.lights.get_message() or [None])[0], None)),
        )
        return found

    def unplug(self) -> None:
        for port in (self.keys, self.lights):
            port.close_port()
            port.delete()  # a client that its process leaves open holds the server up at exit


def until(reached: Callable[[], bool], look: Callable[[], object] = lambda: None) -> None:
    end_s = time.monotonic() + WAIT_S
    look()
    while not reached() and time.monotonic() < end_s:
        time.sleep(0.002)
        look()


@contextlib.contextmanager
def playing(
    surface: ControlSurface, folder: Path, *ports: str, text: str = EVERYTHING, **more: str
) -> Iterator[MidiClient]:
    path = folder / "map.toml"
    path.write_text(text)
    with MidiClient(surface, MidiRequest(ports, str(path), api="jack", **more)) as client:
        yield client


def send_to_virtual(messages: Sequence[Sequence[int]], pause_s: float = 0.0) -> list[float]:
    """Connect to the client's own port and send; returns when each message left."""
    out = rtmidi.MidiOut(rtapi=rtmidi.API_UNIX_JACK, name="tester")
    names: list[str] = []
    until(lambda: any("vcfx-midi" in name for name in names), lambda: names.extend(out.get_ports()))
    out.open_port(next(number for number, name in enumerate(out.get_ports()) if "vcfx-midi" in name))
    time.sleep(0.2)
    left = []
    for message in messages:
        left.append(time.perf_counter())
        out.send_message(message)
        if pause_s:
            time.sleep(pause_s)
    time.sleep(0.2)
    out.close_port()
    out.delete()
    return left


def every_kind(folder: Path) -> dict[str, Any]:
    played = [
        [0xC0, 1],
        [0x90, 36, 90],
        [0x80, 36, 0],
        [0xB0, 7, 127],
        [0xB0, 8, 64],
        [0xB0, 40, 127],
        [0xE0, 127, 127],
    ]
    played += [[0xE0, 0, 64], [0xD0, 127], [0xB0, 64, 127], [0xB0, 64, 0], [0x90, 50, 1], [0x90, 50, 0], [0x90, 51, 9]]
    played += [[0x90, 52, 9], [0x90, 53, 9], [0x80, 53, 0], [0x90, 53, 9], [0x90, 54, 9], [0xB0, 120, 127]]
    surface = Surface()
    with playing(surface, folder, "virtual"):
        send_to_virtual([[0xF8], [0xF0, 1, 2, 3, 0xF7], *played])
        until(lambda: m.Panic() in surface.received)
        until(lambda: surface.midi.last_event.endswith("panic"))
        last = surface.midi.last_event
    return {"received": [repr(message) for message in surface.received], "last": last}


def burst(folder: Path) -> dict[str, Any]:
    """200 messages at once, of kinds that may not be lost and one that moves."""
    surface = Surface()
    messages = [
        ([0xC0, place % 2], [0x90, 36 + place % 3, 9], [0xB0, 7, place % 128])[place % 3] for place in range(200)
    ]
    with playing(surface, folder, "virtual"):
        left = send_to_virtual(messages)
        until(lambda: len(surface.received) >= 200)
        time.sleep(0.1)
    expected = [_meant(message) for message in messages]
    waited_ms = [1e3 * (came - went) for came, went in zip(surface.times, left, strict=False)]
    in_order = [repr(message) for message in surface.received] == [repr(message) for message in expected]
    return {"received": len(surface.received), "in_order": in_order, "waited_ms": percentiles(waited_ms)}


def _meant(message: Sequence[int]) -> m.Message:
    if message[0] == 0xC0:
        return m.SwitchPreset(("deep", "robot")[message[1]])
    if message[0] == 0x90:
        return m.SwitchVoice(("alder", "birch", "cedar")[message[1] - 36])
    steps = message[2]
    return m.SetParameter("echo", "mix_ratio", steps / 128 if steps < 64 else 0.5 + 0.5 * (steps - 64) / 63)


def latency(folder: Path, count: int = 400) -> dict[str, Any]:
    """Single program changes, 7 ms apart, from a controller's output to the surface."""
    surface = Surface()
    with playing(surface, folder, "virtual"):
        left = send_to_virtual([[0xC0, place % 2] for place in range(count)], pause_s=0.007)
        until(lambda: len(surface.received) >= count)
    return {"received": len(surface.received), "waited_ms": percentiles(
        [1e3 * (came - went) for came, went in zip(surface.times, left, strict=True)]
    )}  # fmt: skip


def percentiles(values: list[float]) -> dict[str, float]:
    return {name: round(float(np.percentile(values, at)), 3) for name, at in (("p50", 50), ("p99", 99), ("max", 100))}


def hot_plug(folder: Path) -> dict[str, Any]:
    """A controller that comes late, goes with its pedal down, and comes back."""
    surface, seen = Surface(), []
    with playing(surface, folder, "pad"):
        until(lambda: surface.state().midi is not None)
        seen.append([port.connected for port in surface.midi.ports])
        for value in (0, 1):
            controller = Controller()
            until(lambda: surface.midi.ports[0].connected)
            seen.append([port.connected for port in surface.midi.ports])
            controller.keys.send_message([0xC0, value])
            controller.keys.send_message([0xB0, 64, 127])
            until(lambda: surface.received.count(m.PushToTalk(True)) > value)  # noqa: B023
            controller.unplug()
            until(lambda: not surface.midi.ports[0].connected)
            until(lambda: surface.received.count(m.PushToTalk(False)) > value)  # noqa: B023
    return {"seen": seen, "received": [repr(message) for message in surface.received]}


def learn(folder: Path) -> dict[str, Any]:
    """Teach a fader, give up once, and use what was learned."""
    surface = Surface()
    controller = Controller()
    with playing(surface, folder, "pad"):
        until(lambda: surface.state().midi is not None and surface.midi.ports[0].connected)
        refused = surface.submit(m.LearnMidi("preset")).result()
        surface.submit(m.LearnMidi("mute"))
        until(lambda: surface.midi.learning == "mute")
        surface.submit(m.LearnMidi(""))
        until(lambda: not surface.midi.learning)
        surface.submit(m.LearnMidi("parameter:tone.order"))
        until(lambda: surface.midi.learning == "parameter:tone.order")
        for message in ([0x93, 60, 9], [0xB3, 20, 5], [0xB3, 52, 3], [0xB3, 20, 6]):
            controller.keys.send_message(message)
            time.sleep(0.02)
        until(lambda: not surface.midi.learning)
        learned = surface.midi.last_event
        before = len(surface.received)
        controller.keys.send_message([0xB3, 20, 127])
        until(lambda: len(surface.received) > before)
        shown = [dataclasses.astuple(binding) for binding in surface.midi.bindings]
    controller.unplug()
    kept = [str(binding.to) for binding in load_map(str(folder / "map.toml")).bindings]
    closed = surface.submit(m.LearnMidi("mute")).result()
    return {
        "refused": getattr(refused, "reason", ""),
        "learned": learned,
        "received": [repr(message) for message in surface.received],
        "shown": shown[-1],
        "kept": kept[-1],
        "closed": getattr(closed, "reason", ""),
        "files": sorted(path.name for path in folder.iterdir()),
    }


LIGHTS = """
schema_version = 1
name = "Lights"
lights = true
channel = 1
[[binding]]
on = "note"
number = 36
last = 39
to = "preset"
[[binding]]
on = "note"
number = 40
to = "mute"
[[binding]]
on = "control"
number = 7
to = "parameter:echo.mix_ratio"
"""


def lights(folder: Path) -> dict[str, Any]:
    """All at once when the controller comes, then what changes, then dark."""
    surface, controller = Surface(), Controller()
    with playing(surface, folder, "pad", text=LIGHTS):
        at_first = sorted(controller.shown(4))
        surface.become(preset_name="robot")
        switched = sorted(controller.shown(2))
        controller.keys.send_message([0x90, 40, 100])
        muted = controller.shown(1)
        surface.submit(m.SetParameter("echo", "mix_ratio", 1.0))
        moved = controller.shown(1)
        controller.unplug()
        until(lambda: not surface.midi.ports[0].connected)
        controller = Controller()
        again = sorted(controller.shown(4))
    dark = sorted(controller.shown(2))
    controller.unplug()
    return {"at_first": at_first, "switched": switched, "muted": muted, "moved": moved, "again": again, "dark": dark}


class Timed:
    """The engine's own surface; keeps when messages came, and when they were answered and how."""

    def __init__(self, control: LiveControl) -> None:
        self._control = control
        self.submitted: list[float] = []
        self.answers: list[tuple[float, m.Outcome]] = []

    def submit(self, message: m.Message) -> Future[m.Outcome]:
        self.submitted.append(time.perf_counter())
        answer = self._control.submit(message)
        answer.add_done_callback(lambda done: self.answers.append((time.perf_counter(), done.result())))
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._control, name)


def engine(folder: Path, count: int = 20) -> dict[str, Any]:
    """Program changes between two presets of a bank, of a voice that runs on a device of blocks of 128."""
    with running_voice("loud", bank=("soft", "loud")) as voice:
        voice.wait_for_bank()
        surface = Timed(voice.control)
        with playing(surface, folder, "virtual") as client:
            until(lambda: voice.control.state().midi is not None)
            left = send_to_virtual([[0xC0, place % 2] for place in range(count)], pause_s=0.1)
            until(lambda: len(surface.answers) >= count)
            switched = voice.control.state().preset_name
            send_to_virtual([[0xC0, 0]])
            until(lambda: voice.control.engine.preset.name == "Soft")
            heard = voice.control.engine.preset.name
            shown = client.midi_state().last_event
        late = voice.control.engine.statistics().late_blocks
    pairs = list(zip(left, surface.submitted, surface.answers, strict=False))
    return {
        "applied": sum(isinstance(outcome, m.Applied) for _, outcome in surface.answers),
        "switched": switched,
        "heard": heard,
        "shown": shown,
        "late_blocks": late,
        "to_submit_ms": percentiles([1e3 * (came - went) for went, came, _ in pairs]),
        "to_applied_ms": percentiles([1e3 * (done - went) for went, _, (done, _) in pairs]),
    }


def engine_burst(folder: Path) -> dict[str, Any]:
    """200 messages at once to a voice that runs: presets, voices that are not there, and a parameter."""
    with running_voice("loud", bank=("soft", "loud")) as voice:
        voice.wait_for_bank()
        surface = Timed(voice.control)
        text = EVERYTHING.replace("parameter:echo.mix_ratio", "parameter:level.gain_db")
        messages = [([0xC0, place % 2], [0xB0, 7, place % 128])[place % 4 > 0] for place in range(200)]
        with playing(surface, folder, "virtual", text=text):
            until(lambda: voice.control.state().midi is not None)
            left = send_to_virtual(messages)
            until(lambda: len(surface.answers) >= 200)
            expected = voice.control.state()
    waited_ms = [1e3 * (done - left[-1]) for done, _ in surface.answers]
    return {
        "submitted": len(surface.submitted),
        "applied": sum(isinstance(outcome, m.Applied) for _, outcome in surface.answers),
        "preset": expected.preset_name,
        "last_answer_after_last_event_ms": round(max(waited_ms), 2),
    }


if __name__ == "__main__":
    chosen = (every_kind, burst, latency, hot_plug, learn, lights, engine, engine_burst)
    scenes: dict[str, Callable[..., dict[str, Any]]] = {scene.__name__: scene for scene in chosen}
    print(json.dumps(scenes[sys.argv[1]](Path(sys.argv[2]), *map(int, sys.argv[3:]))))
