"""From events to messages, by a map and by what runs at the moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from vcfx.control.live_state import LiveState, ParameterState
from vcfx.control.messages import Message, SetParameter

from .bend import Bend, offset_at
from .event import MidiEvent
from .midi_map import Binding, MidiMap
from .pickup import Pickup
from .registers import Held, Registers
from .scale import parameter_position, parameter_value, position_of_steps
from .switch import Switches, pressed
from .target import SWITCHES

Places = Callable[[Literal["preset", "voice"]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Deed:
    """What an event does.

    Parameters
    ----------
    message
        To submit.
    target
        In words.
    mergeable
        Whether it may be left out if the same controller has moved on already.
    """

    message: Message
    target: str
    mergeable: bool


class Interpreter:
    """Reads one player's hands; not for several threads.

    Parameters
    ----------
    midi_map
        What events mean.
    state
        Gives the present state.
    places
        Gives the names by place: the running bank's presets, or the voices.
    """

    def __init__(self, midi_map: MidiMap, state: Callable[[], LiveState], places: Places) -> None:
        self.midi_map = midi_map
        self.problem, self.missed_place = "", False
        self._state, self._places = state, places
        self._registers, self._switches, self._pickup, self._bend = Registers(), Switches(), Pickup(), Bend()

    def take(self, port: str, event: MidiEvent) -> list[Deed]:
        """Return what an event does, in the order of the map.

        Afterwards `problem` says why something was not done, and `missed_place` whether there is no preset or voice in
        the place that was asked for.
        """
        presses, releases = self._registers.take(port, event)
        held = (port, event.source, event.channel, event.number)
        self.problem, self.missed_place = "", False
        deeds = self._let_go(held) if releases else []
        bank = self._registers.bank(port, event.channel)
        for binding in meant(self.midi_map, event, bank):
            try:
                message = self._message(binding, held, event, presses)
            except ValueError as error:
                self.problem = f"{binding.to}: {error}"
                continue
            if message is not None:
                deeds.append(Deed(message, str(binding.to), binding.to.is_continuous))
        return deeds

    def use(self, midi_map: MidiMap) -> list[Deed]:
        """Change to another map; returns what lets go of all that is held."""
        released = [deed for target, held in self._switches.held() for deed in self._let_go(held)]
        self.midi_map, self._pickup = midi_map, Pickup()
        return released

    def release(self, port: str) -> list[Deed]:
        """Return what lets go of all that a port held: it is gone, and no key will come up any more."""
        held = self._registers.forget(port)
        deeds = [deed for item in held for deed in self._let_go(item)]
        message = self._bend.undo(self._state())
        return deeds + ([Deed(message, "pitch", False)] if message is not None else [])

    def _let_go(self, held: Held) -> list[Deed]:
        messages = [(target, self._switches.release(target, held)) for target in self._switches.held_by(held)]
        return [Deed(message, str(target), False) for target, message in messages if message is not None]

    def _message(self, binding: Binding, held: Held, event: MidiEvent, presses: bool) -> Message | None:
        if binding.to.is_continuous:
            return self._moved(binding, held[0], event)
        if not presses:
            return None
        if binding.to.kind in SWITCHES:
            return self._switches.press(binding, held, self._state())
        name = self._name_in_place(binding, held, event) if binding.to.is_by_place else binding.to.name
        return pressed(binding.to, name)

    def _name_in_place(self, binding: Binding, held: Held, event: MidiEvent) -> str:
        place = event.number - (binding.number or 0)
        if event.source == "program" and binding.number is None and binding.bank is None:
            place += self._registers.bank(held[0], event.channel) << 7
        kind: Literal["preset", "voice"] = "preset" if binding.to.kind == "preset" else "voice"
        names = self.midi_map.presets if kind == "preset" and self.midi_map.presets else self._places(kind)
        if place >= len(names):
            self.missed_place = True
            raise ValueError(f"there is no {kind} in place {place + 1}; there are {len(names)}")
        return names[place]

    def _moved(self, binding: Binding, port: str, event: MidiEvent) -> Message | None:
        position = self._position(binding, port, event)
        state = self._state()
        if binding.to.kind == "pitch":
            return self._bend.message(offset_at(position, binding), state)
        parameter = live_parameter(state, binding)
        value = parameter_value(position, binding, parameter)
        wants_pickup = self.midi_map.pickup if binding.pickup is None else binding.pickup
        if wants_pickup:
            knob = (port, event.channel, binding)
            target = parameter_position(binding, parameter)
            if not self._pickup.catches(knob, position, target, parameter.value):
                raise ValueError(f"move the controller past the present value, {parameter.value}, to take it over")
            self._pickup.sent(knob, value)
        return SetParameter(binding.to.name, binding.to.parameter, value)

    def _position(self, binding: Binding, port: str, event: MidiEvent) -> float:
        if binding.on == "pitch-bend":
            return position_of_steps(event.value, 14)
        if binding.bits == 14 and binding.number is not None:
            return position_of_steps(self._registers.steps(port, event.channel, binding.number), 14)
        return position_of_steps(event.value, 7)


def meant(midi_map: MidiMap, event: MidiEvent, bank: int | None) -> Iterator[Binding]:
    """Yield what an event works: of notes and programs only the most precise lines; None: whatever bank."""
    heard = [
        binding
        for binding in midi_map.bindings_of(event)
        if binding.bank is None or bank is None or binding.bank == bank
    ]
    most = max(map(_precision, heard), default=0)
    return (binding for binding in heard if event.source == "control" or _precision(binding) == most)


def _precision(binding: Binding) -> int:
    number = 0 if binding.number is None else (2 if binding.last is None else 1)
    return 2 * number + (binding.bank is not None)


def live_parameter(state: LiveState, binding: Binding) -> ParameterState:
    """Return the parameter that a binding moves; raises `ValueError` in words where it cannot be moved."""
    node = next((node for node in state.chain if node.id == binding.to.name), None)
    if node is None:
        raise ValueError(f"the preset that runs has no node '{binding.to.name}'")
    parameter = next((found for found in node.parameters if found.name == binding.to.parameter), None)
    if parameter is None:
        raise ValueError(f"the node '{node.id}' has no parameter '{binding.to.parameter}'")
    if not parameter.live:
        raise ValueError(f"{parameter.name} cannot change while sound runs")
    return parameter
