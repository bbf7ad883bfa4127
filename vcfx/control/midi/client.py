"""MIDI controllers as a client of the control surface."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal

from vcfx.control.live_state import LiveState, MidiBindingState, MidiState
from vcfx.control.messages import Applied, LearnMidi, Outcome, Refused
from vcfx.control.surface import ControlSurface
from vcfx.errors import ControlError, VcfxError

from .connections import Connections
from .event import MidiEvent, read_event
from .interpreter import Deed, Interpreter
from .learning import Learner, learnable
from .light_sender import light_of
from .lights import Light, lights_of
from .map_library import load_or_new, map_file, save_map, with_binding
from .midi_map import Binding
from .ports import AUTO, MidiSystem
from .target import parse_target

#: How often ports are looked for, and how long the lights and the shown state rest between two changes.
SCAN_S: Final = 0.5
REST_S: Final = 0.03
#: How often JACK's events are fetched; others arrive by themselves.
FETCH_S: Final = 0.002
IDLE_S: Final = 0.1
#: From so many unanswered messages on, events wait, and a controller's older positions give way to newer ones.
BUSY: Final = 256
LONGEST_WAIT_S: Final = 1.0
PLACES_WAIT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class MidiRequest:
    """What `vcfx run --midi ...` asks for: inputs, the map's name or file, and where the lights are (see `ports`)."""

    inputs: tuple[str, ...]
    map_name: str = "default"
    lights: str = ""
    api: str = AUTO


@dataclass(frozen=True, slots=True)
class _Arrival:
    port: str
    event: MidiEvent | None  # None: the port is gone


class MidiClient:
    """Carries out a MIDI map on a surface until it is closed; a context manager.

    One thread takes events as they come, another looks after ports, lights and what the state shows. The callback of
    the MIDI system only puts bytes into a queue.

    Raises
    ------
    ControlError
        If no MIDI system answers, the map is damaged, or a numbered port is not there.
    """

    def __init__(self, surface: ControlSurface, request: MidiRequest) -> None:
        self._surface, self._request = surface, request
        self._queue: queue.SimpleQueue[_Arrival] = queue.SimpleQueue()
        midi_map = load_or_new(request.map_name)
        self._interpreter = Interpreter(midi_map, surface.state, self._places)
        self._system = MidiSystem(request.api)
        lights = request.lights or (AUTO if midi_map.lights else "")
        try:
            self._connections = Connections(self._system, request.inputs, lights, self._arrived, self._lost)
        except ControlError:
            self._system.close()
            raise
        self._closing, self._wake, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._names: dict[str, tuple[str, ...]] = {}
        self._names_known, self._names_stale = threading.Event(), False
        self._learner: Learner | None = None
        self._unanswered = 0
        self._last_event, self._problem = "", ""
        self._moved: dict[Light, tuple[float, int]] = {}
        self._shown: MidiState | None = None
        self._threads = [
            threading.Thread(target=self._run_events, name="midi events", daemon=True),
            threading.Thread(target=self._run_ports, name="midi ports", daemon=True),
        ]

    def __enter__(self) -> MidiClient:
        """Begin; returns at once."""
        handle = getattr(self._surface, "handle", None)
        if handle is not None:
            handle(LearnMidi, self.learn)
        self._unwatch = self._surface.watch(self._state_changed)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of what is held, darken the lights, close the ports."""
        self._closing.set()
        self._wake.set()
        self._unwatch()
        for thread in self._threads:
            thread.join(timeout=5.0)
        for deed in self._interpreter.use(self._interpreter.midi_map):
            self._surface.submit(deed.message)
        self._connections.close()
        self._system.close()
        self._publish(None)

    def learn(self, message: LearnMidi) -> Outcome:
        """Wait for the next event that can work a target; an empty one gives up. Runs on the surface's thread."""
        if self._closing.is_set():
            return Refused("nothing listens to MIDI any more")
        if not message.target:
            self._learner = None
            self._wake.set()
            return Applied(None, 0.0)
        try:
            target = parse_target(message.target)
        except ControlError as error:
            return Refused(str(error))
        if problem := learnable(target):
            return Refused(f"the target is '{target}'; {problem}")
        self._learner = Learner(target)
        self._wake.set()
        return Applied(None, 0.0, f"move or press what shall work {target}")

    def midi_state(self) -> MidiState:
        """Return what the state shows of this client."""
        midi_map, learner = self._interpreter.midi_map, self._learner
        return MidiState(
            self._connections.states(),
            midi_map.name,
            "" if learner is None else str(learner.target),
            self._last_event,
            tuple(MidiBindingState(binding.trigger, str(binding.to)) for binding in midi_map.bindings),
            self._problem,
        )

    # Callbacks: from RtMidi's threads, from the surface's, from the thread that looks after the ports.

    def _arrived(self, port: str, message: Sequence[int]) -> None:
        event = read_event(message)
        if event is not None:
            self._queue.put(_Arrival(port, event))

    def _lost(self, port: str) -> None:
        self._queue.put(_Arrival(port, None))

    def _state_changed(self, _state: LiveState) -> None:
        self._wake.set()

    def _answered(self, answer: Future[Outcome]) -> None:
        with self._lock:
            self._unanswered -= 1
        outcome = answer.result()
        if isinstance(outcome, Refused):
            self._problem = outcome.reason

    @contextlib.contextmanager
    def _surviving(self) -> Iterator[None]:
        """Go on whatever happens: the next key must work."""
        try:
            yield
        except Exception as error:
            self._problem = f"MIDI has failed: {type(error).__name__}: {error}"

    # The thread of the events.

    def _run_events(self) -> None:
        waiting: deque[_Arrival] = deque()
        while not self._closing.is_set():
            self._gather(waiting, FETCH_S if self._connections.fetched else IDLE_S)
            while waiting:
                with self._surviving():
                    self._carry_out(waiting.popleft(), waiting)
            learner = self._learner
            if learner is not None and (binding := learner.result(time.monotonic())) is not None:
                self._learned(binding)

    def _gather(self, waiting: deque[_Arrival], timeout_s: float) -> None:
        """Add all that has arrived; wait for it only where nothing waits yet."""
        for port in self._connections.fetched:
            port.fetch()
        try:
            waiting.append(self._queue.get(timeout=timeout_s))
            while True:
                waiting.append(self._queue.get_nowait())
        except queue.Empty:
            pass

    def _carry_out(self, arrival: _Arrival, waiting: deque[_Arrival]) -> None:
        if arrival.event is None:
            deeds, said = self._interpreter.release(arrival.port), f"{arrival.port} is gone"
        elif (learner := self._learner) is not None:
            deeds, said = [], str(arrival.event)
            self._problem = learner.take(arrival.event, time.monotonic())
        else:
            behind = self._wait_for_answers(waiting)
            deeds, said = self._interpreter.take(arrival.port, arrival.event), str(arrival.event)
            self._problem = self._interpreter.problem
            self._names_stale |= self._interpreter.missed_place  # it may have been added since
            if behind and _is_superseded(arrival, waiting):
                deeds = [deed for deed in deeds if not deed.mergeable]
            light = light_of(arrival.event)
            if light is not None:
                self._moved[light] = (time.monotonic(), arrival.event.value)
        self._submit(deeds)
        self._last_event = " -> ".join([said, *(deed.target for deed in deeds)])
        self._wake.set()

    def _submit(self, deeds: Sequence[Deed]) -> None:
        for deed in deeds:
            answer = self._surface.submit(deed.message)
            with self._lock:
                self._unanswered += 1
            answer.add_done_callback(self._answered)

    def _wait_for_answers(self, waiting: deque[_Arrival]) -> bool:
        """Wait while the surface is far behind; returns whether it was."""
        if self._unanswered < BUSY:
            return False
        end_s = time.monotonic() + LONGEST_WAIT_S
        while self._unanswered >= BUSY and time.monotonic() < end_s and not self._closing.is_set():
            self._gather(waiting, FETCH_S)
        return True

    def _learned(self, binding: Binding) -> None:
        self._learner = None
        midi_map = with_binding(self._interpreter.midi_map, binding)
        self._submit(self._interpreter.use(midi_map))
        self._last_event, self._problem = f"{binding.trigger} now works {binding.to}", ""
        try:
            save_map(midi_map, map_file(self._request.map_name))
        except ControlError as error:
            self._problem = str(error)
        self._wake.set()

    def _places(self, kind: Literal["preset", "voice"]) -> Sequence[str]:
        self._names_known.wait(PLACES_WAIT_S)
        return self._names.get(kind, ())

    # The thread of ports, lights and the shown state.

    def _run_ports(self) -> None:
        next_scan_s = time.monotonic() + SCAN_S
        while not self._closing.is_set():
            with self._surviving():
                self._look_up_names()
                if time.monotonic() >= next_scan_s:
                    next_scan_s = time.monotonic() + SCAN_S
                    self._connections.scan()
                self._show()
            self._closing.wait(REST_S)
            self._wake.wait(max(0.0, next_scan_s - time.monotonic()))
            self._wake.clear()

    def _look_up_names(self) -> None:
        if self._names_known.is_set() and not self._names_stale:
            return
        self._names_stale = False
        try:
            found = self._surface.catalogue()
        except (VcfxError, OSError) as error:  # of a surface in another process
            self._problem = str(error)
            return
        voices = tuple(entry.name for entry in found.voices if not entry.problem)
        presets = found.bank or tuple(entry.name for entry in found.presets if not entry.problem)
        self._names = {"preset": presets, "voice": voices}
        self._names_known.set()

    def _show(self) -> None:
        if self._connections.senders:
            wanted = lights_of(self._interpreter.midi_map, self._surface.state(), self._known_names)
            for sender in list(self._connections.senders.values()):
                sender.show(wanted, self._moved)
        shown = self.midi_state()
        if shown != self._shown:
            self._shown = shown
            self._publish(shown)

    def _publish(self, shown: MidiState | None) -> None:
        """Let the state show it; only the engine's own surface can."""
        publish = getattr(self._surface, "show_midi", None)
        if publish is not None:
            publish(shown)

    def _known_names(self, kind: Literal["preset", "voice"]) -> Sequence[str]:
        return self._names.get(kind, ())


def _is_superseded(arrival: _Arrival, waiting: Sequence[_Arrival]) -> bool:
    """Whether a later position of the same controller waits already."""
    event = arrival.event
    return event is not None and any(
        later.port == arrival.port
        and later.event is not None
        and (later.event.source, later.event.channel, later.event.number) == (event.source, event.channel, event.number)
        for later in waiting
    )
