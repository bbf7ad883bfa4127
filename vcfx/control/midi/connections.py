"""The ports that were asked for, kept connected while controllers come and go."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from vcfx.control.live_state import MidiPortState
from vcfx.errors import ControlError

from .light_sender import LightSender
from .ports import AUTO, VIRTUAL, MidiInput, MidiPort, MidiSystem, matching, partner

#: What to do with an event: port and bytes; what to do when a port is gone.
Arrived = Callable[[str, Sequence[int]], None]
Lost = Callable[[str], None]
_CONTROLLER_LIGHTS: Final = "of "


class Connections:
    """Opens inputs and the outputs of their lights; `scan` and `close` belong to one thread.

    Parameters
    ----------
    system
        Where the ports are.
    wanted
        Inputs: number, part of a name, or ``virtual``.
    lights
        ``auto`` for the outputs of the same controllers, an output's number or part of its name, ``virtual``, or
        empty for none.
    arrived, lost
        Called from any thread.

    Raises
    ------
    ControlError
        If a number means no port, or a virtual port cannot be made. A name that is not there may come later.
    """

    def __init__(self, system: MidiSystem, wanted: Sequence[str], lights: str, arrived: Arrived, lost: Lost) -> None:
        self._system, self._arrived, self._lost = system, arrived, lost
        self._inputs: dict[str, MidiInput | None] = {}
        self._lights = _lasting_name(system.ports("output"), lights, "output") if lights != AUTO else lights
        self.senders: dict[str, LightSender] = {}
        #: Inputs whose events have to be fetched; replaced as a whole, so any thread may read it.
        self.fetched: tuple[MidiInput, ...] = ()
        for name in wanted:
            self._inputs[_lasting_name(system.ports("input"), name, "input")] = None
        if VIRTUAL in self._inputs:
            self._inputs[VIRTUAL] = self._made_input()
        if lights == VIRTUAL or (lights == AUTO and VIRTUAL in self._inputs):
            self.senders[VIRTUAL] = LightSender(system.make_output())
        self.scan()

    def scan(self) -> bool:
        """Let go of what is gone and take what has come; returns whether anything changed."""
        changed = self._scan_inputs(self._system.ports("input"))
        if self._lights:
            changed |= self._scan_lights(self._system.ports("output"))
        self.fetched = tuple(port for port in self._inputs.values() if port is not None and port.is_fetched)
        return changed

    def states(self) -> tuple[MidiPortState, ...]:
        """Return the inputs as people know them."""
        return tuple(
            MidiPortState(wanted if port is None else port.name, port is not None)
            for wanted, port in self._inputs.items()
        )

    def close(self) -> None:
        """Darken the lights and close everything."""
        for sender in self.senders.values():
            sender.close()
        self.fetched = ()
        for port in self._inputs.values():
            if port is not None:
                port.close()
        self.senders, self._inputs = {}, {}

    def _scan_inputs(self, ports: Sequence[MidiPort]) -> bool:
        before = dict(self._inputs)
        present = {port.name for port in ports}
        for wanted, port in before.items():
            if wanted == VIRTUAL:
                continue
            if port is not None and port.name not in present:
                port.close()
                self._inputs[wanted] = None
                self._lost(port.name)
        taken = {port.name for port in self._inputs.values() if port is not None}
        free = [port for port in ports if port.name not in taken]
        for wanted in [wanted for wanted, port in self._inputs.items() if port is None]:
            found = matching(free, wanted)
            if found is not None:
                free.remove(found)
                self._inputs[wanted] = self._opened(found)
        return before != self._inputs

    def _scan_lights(self, ports: Sequence[MidiPort]) -> bool:
        before = dict(self.senders)
        present = {port.name for port in ports}
        for key, sender in before.items():
            if key != VIRTUAL and sender.port_name not in present:
                del self.senders[key]
                sender.close()
        for key, port in self._wanted_lights(ports):
            if key not in self.senders and (output := self._system.open_output(port)) is not None:
                self.senders[key] = LightSender(output)
        return before != self.senders

    def _wanted_lights(self, ports: Sequence[MidiPort]) -> list[tuple[str, MidiPort]]:
        if self._lights == VIRTUAL:
            return []
        if self._lights != AUTO:
            found = matching(ports, self._lights)
            return [] if found is None else [(self._lights, found)]
        inputs = [port.name for wanted, port in self._inputs.items() if port is not None and wanted != VIRTUAL]
        pairs = [(_CONTROLLER_LIGHTS + name, partner(name, ports)) for name in inputs]
        return [(key, port) for key, port in pairs if port is not None]

    def _opened(self, port: MidiPort) -> MidiInput | None:
        return self._system.open_input(port, lambda message: self._arrived(port.name, message))

    def _made_input(self) -> MidiInput:
        return self._system.make_input(lambda message: self._arrived(VIRTUAL, message))


def _lasting_name(ports: Sequence[MidiPort], wanted: str, direction: str) -> str:
    """Return what finds the port again after it was unplugged: a number would mean another one then."""
    if not wanted.isdecimal():
        return wanted
    found = matching(ports, wanted)
    if found is None:
        known = ", ".join(f"{port.number} {port.name}" for port in ports) or "none"
        raise ControlError(f"there is no MIDI {direction} {wanted}; there are: {known}")
    return re.sub(r" \d+:\d+$", "", found.name)  # ALSA's numbers of client and port change
