"""MIDI messages, read: what a controller did, without status bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Source = Literal["note", "control", "program", "pitch-bend", "pressure"]
SOURCES: Final[tuple[Source, ...]] = ("note", "control", "program", "pitch-bend", "pressure")
#: The upper half of a status byte and what it means; what is not here (SysEx, clock, key pressure) is passed over.
_SOURCE_OF: Final[dict[int, Source]] = {
    0x80: "note",
    0x90: "note",
    0xB0: "control",
    0xC0: "program",
    0xD0: "pressure",
    0xE0: "pitch-bend",
}
NOTE_OFF: Final = 0x80
BANK_SELECT: Final = 0
FIRST_LSB: Final = 32
BEND_CENTRE: Final = 8_192
BEND_MAX: Final = 16_383
VALUE_MAX: Final = 127
#: A controller that works a switch is down from here on.
SWITCH_ON: Final = 64
_NOTE_NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True, slots=True)
class MidiEvent:
    """One event of a controller.

    Parameters
    ----------
    source
        What moved.
    channel
        1 to 16.
    number
        Note, controller or program, 0 to 127; 0 for a source that there is once a channel.
    value
        0 to 127: velocity (0 is a note's end), the controller's position, the pressure; 127 for a program change.
        Pitch bend: 0 to 16383, 8192 in the middle.
    """

    source: Source
    channel: int
    number: int
    value: int

    def __str__(self) -> str:
        """Words for people: ``note 60 (C4) on, velocity 100, channel 1``."""
        if self.source == "note":
            how = f"on, velocity {self.value}" if self.value else "off"
            return f"note {self.number} ({note_name(self.number)}) {how}, channel {self.channel}"
        if self.source == "program":
            return f"program {self.number}, channel {self.channel}"
        if self.source == "control":
            return f"control {self.number} at {self.value}, channel {self.channel}"
        if self.source == "pitch-bend":
            return f"pitch bend {self.value - BEND_CENTRE:+d}, channel {self.channel}"
        return f"pressure {self.value}, channel {self.channel}"

    @property
    def is_down(self) -> bool:
        """Whether a switch worked by this event is down."""
        return self.value >= SWITCH_ON if self.source == "control" else self.value > 0


def read_event(message: Sequence[int]) -> MidiEvent | None:
    """Return the event that a MIDI message means; None for what is no whole message or none of ours."""
    if not message or any(byte > VALUE_MAX for byte in message[1:]):
        return None
    status = message[0] & 0xF0
    source = _SOURCE_OF.get(status)
    if source is None or len(message) != (2 if source in ("program", "pressure") else 3):
        return None
    channel, first = (message[0] & 0x0F) + 1, message[1]
    if source == "program":
        return MidiEvent(source, channel, first, VALUE_MAX)
    if source == "pressure":
        return MidiEvent(source, channel, 0, first)
    if source == "pitch-bend":
        return MidiEvent(source, channel, 0, first | message[2] << 7)
    return MidiEvent(source, channel, first, 0 if status == NOTE_OFF else message[2])


def note_name(number: int) -> str:
    """Return a note's name with the octave: 60 is C4."""
    return f"{_NOTE_NAMES[number % 12]}{number // 12 - 1}"
