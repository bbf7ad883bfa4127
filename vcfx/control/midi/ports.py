"""MIDI ports of the system, over whichever of its MIDI systems answer: ALSA, JACK, CoreMIDI, Windows."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, Literal

from vcfx.devices.packages import pip_command
from vcfx.devices.portaudio import quiet_stderr
from vcfx.errors import ControlError, nearest

Direction = Literal["input", "output"]
#: How our own ports begin; they are not listed.
CLIENT_NAME: Final = "vcfx-midi"
VIRTUAL: Final = "virtual"
VIRTUAL_PORT_NAME: Final = "control"
LIGHTS_PORT_NAME: Final = "lights"
AUTO: Final = "auto"
API_WORDS: Final = ("alsa", "jack", "coremidi", "winmm")
#: What RtMidi calls them.
_RTMIDI_WORDS: Final = {"alsa": "alsa", "jack": "jack", "coremidi": "core", "winmm": "winmm"}
#: RtMidi keeps so many events until they are fetched.
QUEUE_LIMIT: Final = 8_192
Receive = Callable[[Sequence[int]], None]


@dataclass(frozen=True, slots=True)
class MidiPort:
    """A port of another program or of a controller.

    Parameters
    ----------
    number
        From 1 up; counts inputs and outputs by themselves, as `vcfx midi list` shows them.
    name
        As the MIDI system has it.
    api
        ``alsa``, ``jack``, ``coremidi`` or ``winmm``.
    """

    number: int
    name: str
    api: str


class MidiInput:
    """An open input. Fetches or receives, as its system needs it.

    JACK calls on its real-time thread, which no Python may hold up: there events wait in RtMidi's own ring until
    `fetch` takes them. All others call on a thread of RtMidi's, and `receive` is called from it at once.
    """

    def __init__(self, connection: Any, name: str, api: str, receive: Receive) -> None:
        self.name, self.api = name, api
        self.is_fetched = api == "jack"
        self._connection, self._receive, self._lock = connection, receive, threading.Lock()
        connection.ignore_types(sysex=True, timing=True, active_sense=True)
        if not self.is_fetched:
            connection.set_callback(_handed_on, receive)

    def fetch(self) -> None:
        """Hand on all events that wait in RtMidi's ring."""
        with self._lock:
            while self._connection is not None and (found := self._connection.get_message()) is not None:
                self._receive(found[0])

    def close(self) -> None:
        """Close the port; twice is fine."""
        with self._lock:
            connection, self._connection = self._connection, None
        _close(connection)


class MidiOutput:
    """An open output."""

    def __init__(self, connection: Any, name: str, api: str) -> None:
        self.name, self.api, self._connection = name, api, connection

    def send(self, message: Sequence[int]) -> bool:
        """Send a message; returns whether it went out."""
        if self._connection is None:
            return False
        with contextlib.suppress(Exception):  # whatever a driver raises for a cable that was pulled
            self._connection.send_message(message)
            return True
        return False

    def close(self) -> None:
        """Close the port; twice is fine."""
        connection, self._connection = self._connection, None
        _close(connection)


class MidiSystem:
    """The MIDI systems that answer, asked for ports as often as one likes; not for several threads.

    Parameters
    ----------
    api
        ``auto``, or one of `API_WORDS`.

    Raises
    ------
    ControlError
        If none answers.
    """

    def __init__(self, api: str = AUTO) -> None:
        if api not in (AUTO, *API_WORDS):
            raise ControlError(f"--midi-api is '{api}'{nearest(api, (AUTO, *API_WORDS))}")
        self._rtmidi = _rtmidi()
        self._listers: dict[str, dict[Direction, Any]] = {}
        reasons = []
        for word, number in _compiled_apis(self._rtmidi):
            if api in (AUTO, word):
                try:
                    self._listers[word] = self._new_pair(number)
                except self._rtmidi.RtMidiError as error:
                    reasons.append(f"{word}: {str(error).split('::initialize: ')[-1].rstrip('.?')}")
        if not self._listers:
            why = "; ".join(reasons) or f"this build of python-rtmidi has no {api}"
            raise ControlError(f"no MIDI system answers ({why})")

    @property
    def apis(self) -> tuple[str, ...]:
        """The systems that answer."""
        return tuple(self._listers)

    def ports(self, direction: Direction) -> list[MidiPort]:
        """Return the ports that are there now, ours left out."""
        names = [(name, api) for api in self._listers for name in self._names(api, direction)]
        return [MidiPort(number, name, api) for number, (name, api) in enumerate(names, start=1)]

    def open_input(self, port: MidiPort, receive: Receive) -> MidiInput | None:
        """Open an input; None if it is gone or refuses."""
        connection = self._opened(port, "input")
        return None if connection is None else MidiInput(connection, port.name, port.api, receive)

    def open_output(self, port: MidiPort) -> MidiOutput | None:
        """Open an output; None if it is gone or refuses."""
        connection = self._opened(port, "output")
        return None if connection is None else MidiOutput(connection, port.name, port.api)

    def make_input(self, receive: Receive) -> MidiInput:
        """Make an input that other programs connect to; raises `ControlError` where the system cannot."""
        connection, api = self._virtual("input", VIRTUAL_PORT_NAME)
        return MidiInput(connection, f"{CLIENT_NAME}:{VIRTUAL_PORT_NAME}", api, receive)

    def make_output(self) -> MidiOutput:
        """Make an output that other programs connect to; raises `ControlError` where the system cannot."""
        connection, api = self._virtual("output", LIGHTS_PORT_NAME)
        return MidiOutput(connection, f"{CLIENT_NAME}:{LIGHTS_PORT_NAME}", api)

    def close(self) -> None:
        """Let go of the MIDI systems."""
        for pair in self._listers.values():
            for lister in pair.values():
                _close(lister)
        self._listers = {}

    def _names(self, api: str, direction: Direction) -> list[str]:
        try:
            names = self._listers[api][direction].get_ports()
        except (self._rtmidi.RtMidiError, UnicodeDecodeError):
            return []
        return [str(name) for name in names if not str(name).startswith(CLIENT_NAME)]

    def _opened(self, port: MidiPort, direction: Direction) -> Any:
        connection = None
        with quiet_stderr():
            try:
                connection = self._new(direction, _number_of(self._rtmidi, port.api))
                connection.open_port(connection.get_ports().index(port.name), direction)
            except (self._rtmidi.RtMidiError, ValueError):  # gone between looking and opening
                _close(connection)
                return None
        return connection

    def _virtual(self, direction: Direction, name: str) -> tuple[Any, str]:
        api = next(iter(self._listers))
        try:
            return self._new(direction, _number_of(self._rtmidi, api)).open_virtual_port(name), api
        except (self._rtmidi.RtMidiError, NotImplementedError) as error:
            raise ControlError(f"--midi is 'virtual', but {api} cannot make MIDI ports: {error}") from None

    def _new(self, direction: Direction, api: int) -> Any:
        if direction == "input":
            return self._rtmidi.MidiIn(rtapi=api, name=CLIENT_NAME, queue_size_limit=QUEUE_LIMIT)
        return self._rtmidi.MidiOut(rtapi=api, name=CLIENT_NAME)

    def _new_pair(self, api: int) -> dict[Direction, Any]:
        with quiet_stderr():
            return {"input": self._new("input", api), "output": self._new("output", api)}


@contextlib.contextmanager
def midi_system(api: str = AUTO) -> Iterator[MidiSystem]:
    """Hold a `MidiSystem` for a while."""
    system = MidiSystem(api)
    try:
        yield system
    finally:
        system.close()


def matching(ports: Sequence[MidiPort], wanted: str) -> MidiPort | None:
    """Return the port that a number or a part of a name means: the whole name first, then its beginning."""
    if wanted.isdecimal():
        return next((port for port in ports if port.number == int(wanted)), None)
    text = wanted.casefold()
    for fits in (str.__eq__, str.startswith, str.__contains__):
        for port in ports:
            if fits(port.name.casefold(), text):
                return port
    return None


def partner(port_name: str, ports: Sequence[MidiPort]) -> MidiPort | None:
    """Return the output of the controller whose input has this name.

    That of the same name; else the one that differs only in the word for the direction, as on JACK; else only in that
    and in the number at the end, as on Windows.
    """
    for form in (str, _without_direction, _without_number):
        for port in ports:
            if form(port.name) == form(port_name):
                return port
    return None


def _without_direction(name: str) -> str:
    directions = {"in", "out", "input", "output", "capture", "playback", "midiin", "midiout"}
    return " ".join(word for word in re.split(r"[\s:_-]+", name.casefold()) if word not in directions)


def _without_number(name: str) -> str:
    return re.sub(r"[\s\d()]+$", "", _without_direction(name))


def _rtmidi() -> ModuleType:
    try:
        import rtmidi
    except ImportError as error:
        mend = pip_command("python-rtmidi")
        raise ControlError(
            f"the Python package python-rtmidi cannot be loaded ({error}); mend it with: {mend}"
        ) from None
    module: ModuleType = rtmidi
    return module


def _compiled_apis(rtmidi: Any) -> list[tuple[str, int]]:
    names = {rtmidi.get_api_name(number): number for number in rtmidi.get_compiled_api()}
    return [(word, names[name]) for word, name in _RTMIDI_WORDS.items() if name in names]


def _number_of(rtmidi: Any, api: str) -> int:
    return dict(_compiled_apis(rtmidi))[api]


def _handed_on(found: tuple[Sequence[int], float], receive: Receive) -> None:
    receive(found[0])


def _close(connection: Any) -> None:
    if connection is None:
        return
    for step in (connection.close_port, connection.delete):
        with contextlib.suppress(Exception):  # its system may be gone
            step()
