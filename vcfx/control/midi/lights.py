"""What a controller's lights, rings and motors show: the state, as the MIDI messages that set them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vcfx.control.live_state import LiveState

from .event import FIRST_LSB
from .interpreter import Places, live_parameter
from .midi_map import Binding, MidiMap
from .scale import parameter_position, steps_of_position
from .switch import is_recording

#: Status byte and number of a light.
Light = tuple[int, int]
_NOTE: Final = 0x90
_CONTROL: Final = 0xB0


def lights_of(midi_map: MidiMap, state: LiveState, places: Places) -> dict[Light, int]:
    """Return what every light of the map should be sent: a note's velocity or a controller's value.

    A line that hears all channels lights channel 1. Where two lines share a light, on wins over off.
    """
    wanted: dict[Light, int] = {}
    off: dict[Light, int] = {}
    for binding in midi_map.bindings:
        for light, value, is_on in _lights(midi_map, binding, state, places):
            (wanted if is_on else off).setdefault(light, value)
    return off | wanted


def _lights(midi_map: MidiMap, binding: Binding, state: LiveState, places: Places) -> Iterator[tuple[Light, int, bool]]:
    status = {"note": _NOTE, "control": _CONTROL}.get(binding.on)
    if status is None or binding.number is None:
        return
    status |= (midi_map.channel_of(binding) or 1) - 1
    if binding.to.kind == "parameter":
        yield from _ring(status, binding.number, binding, state)
        return
    names = _names(midi_map, binding, places)
    for place, name in enumerate(names):
        on = _is_on(binding, name, state)
        if on is not None:
            yield (status, binding.number + place), binding.on_light if on else binding.off_light, on


def _names(midi_map: MidiMap, binding: Binding, places: Places) -> list[str]:
    """Names that the notes of a line stand for, from the first on; one where the line has one target."""
    number = binding.number or 0
    count = (number if binding.last is None else binding.last) - number + 1
    if not binding.to.is_by_place:
        return [binding.to.name] * count
    kind = "preset" if binding.to.kind == "preset" else "voice"
    names = midi_map.presets if kind == "preset" and midi_map.presets else places(kind)  # type: ignore[arg-type]
    return list(names[:count])


def _ring(status: int, number: int, binding: Binding, state: LiveState) -> Iterator[tuple[Light, int, bool]]:
    try:
        position = parameter_position(binding, live_parameter(state, binding))
    except ValueError:  # the preset that runs has nothing there
        return
    steps = steps_of_position(position, binding.bits)
    if binding.bits == 14:
        yield (status, number), steps >> 7, True
        yield (status, number + FIRST_LSB), steps & 0x7F, True
    else:
        yield (status, number), steps, True


def _is_on(binding: Binding, name: str, state: LiveState) -> bool | None:
    """Whether the mapped thing is on; None for what only happens."""
    match binding.to.kind:
        case "preset":
            return bool(name) and state.preset_name == name
        case "voice":
            return bool(name) and state.voice == name
        case "mute":
            return state.muted
        case "push-to-talk":
            return state.talking
        case "record":
            return is_recording(state)
        case "bypass":
            return any(node.id == name and node.bypassed for node in state.chain) if name else state.bypassed
        case _:
            return None
