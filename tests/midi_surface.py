"""A control surface for MIDI tests: its chain holds what messages set, and handlers can be registered."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from fake_surface import FakeSurface
from vcfx.control import messages as m
from vcfx.control.live_state import MidiState, NodeState, ParameterState, RecordingState

Handler = Callable[[Any], m.Outcome]


def number(name: str, value: float, low: float | None, high: float | None, **other: Any) -> ParameterState:
    facts: dict[str, Any] = {"choices": (), "integer": False, "text": False, "live": True, "doc": ""} | other
    return ParameterState(name, value, value, low, high, **facts)


TYPES = ("lowpass", "band", "highpass")
CHAIN = (
    NodeState("gate", "gate", False, 0.0, (number("threshold_db", -50.0, -90.0, 0.0),)),
    NodeState("pitch", "pitch", False, 12.0, (number("shift_semitones", -4.0, -24.0, 24.0),)),
    NodeState("tone", "filter", False, 0.0, (
        number("cutoff_hz", 1_000.0, 20.0, 20_000.0),
        number("order", 2.0, 1.0, 8.0, integer=True),
        ParameterState("type", "lowpass", "lowpass", None, None, TYPES, False, False, True, ""),
        number("lookahead_ms", 5.0, 0.0, 10.0, live=False),
        number("slope", 1.0, None, None),
    )),
    NodeState("echo", "echo", False, 0.0, (number("mix_ratio", 0.25, 0.0, 1.0),)),
)  # fmt: skip


class MidiSurface(FakeSurface):
    """Like `FakeSurface`, with a chain that changes; `show_midi` and `handle` as the engine's surface has them."""

    def __init__(self) -> None:
        super().__init__()
        self._state = dataclasses.replace(self._state, chain=CHAIN)
        self._handlers: dict[type[Any], Handler] = {}

    def handle(self, kind: type[Any], handler: Handler) -> None:
        self._handlers[kind] = handler

    def show_midi(self, midi: MidiState | None) -> None:
        self._state = dataclasses.replace(self._state, midi=midi, revision=self._state.revision + 1)
        for watcher in list(self._watchers):
            watcher(self._state)

    def submit(self, message: m.Message) -> Future[m.Outcome]:
        handler = self._handlers.get(type(message))
        if handler is None:
            return super().submit(message)
        done: Future[m.Outcome] = Future()
        done.set_result(handler(message))
        return done

    def become(self, **changes: Any) -> None:
        """Change the state as another client would."""
        self._state = dataclasses.replace(self._state, **changes, revision=self._state.revision + 1)
        for watcher in list(self._watchers):
            watcher(self._state)

    def value(self, node: str, parameter: str) -> Any:
        return next(p.value for n in self._state.chain if n.id == node for p in n.parameters if p.name == parameter)

    def _change(self, message: m.Message) -> str:
        state = self._state
        match message:
            case m.SetParameter(node, parameter, value) if node != "nothing":
                self._state = dataclasses.replace(
                    state, chain=tuple(_set(n, node, parameter, value) for n in state.chain)
                )
            case m.BypassNode(node, on):
                chain = [
                    dataclasses.replace(n, bypassed=_turned(n.bypassed, on)) if n.id == node else n for n in state.chain
                ]
                self._state = dataclasses.replace(state, chain=tuple(chain))
            case m.StartRecording(sides):
                self._state = dataclasses.replace(state, recording=RecordingState(sides, ("take.flac",), 0.0, ""))
            case m.StopRecording():
                self._state = dataclasses.replace(state, recording=None)
            case _:
                pass
        return super()._change(message)


def _turned(present: bool, on: bool | None) -> bool:
    return not present if on is None else on


def _set(node: NodeState, node_id: str, parameter: str, value: Any) -> NodeState:
    if node.id != node_id:
        return node
    found = [dataclasses.replace(p, value=value) if p.name == parameter else p for p in node.parameters]
    return dataclasses.replace(node, parameters=tuple(found))
