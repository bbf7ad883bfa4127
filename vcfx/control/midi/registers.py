"""What a MIDI receiver has to remember: 14-bit controllers, chosen banks, and what is held down."""

from __future__ import annotations

from .event import BANK_SELECT, FIRST_LSB, MidiEvent

#: Port, channel, number.
_Place = tuple[str, int, int]
#: Port and the event's source, channel, number.
Held = tuple[str, str, int, int]


class Registers:
    """Remembers what earlier events said, for every port and channel by itself."""

    def __init__(self) -> None:
        self._upper: dict[_Place, int] = {}
        self._lower: dict[_Place, int] = {}
        self._bank: dict[tuple[str, int], dict[int, int]] = {}
        self._down: set[Held] = set()

    def take(self, port: str, event: MidiEvent) -> tuple[bool, bool]:
        """Remember an event; returns whether it presses and whether it releases a button."""
        if event.source == "control":
            self._take_control(port, event)
        return self._take_button(port, event)

    def steps(self, port: str, channel: int, number: int) -> int:
        """Return the position of the 14-bit controller `number` and `number` + 32, 0 to 16383."""
        place = (port, channel, number)
        return self._upper.get(place, 0) << 7 | self._lower.get(place, 0)

    def bank(self, port: str, channel: int) -> int:
        """Return the chosen bank: 128 times the upper half plus the lower; the one half where only one was sent."""
        halves = self._bank.get((port, channel), {})
        if len(halves) == 2:
            return halves[BANK_SELECT] << 7 | halves[BANK_SELECT + FIRST_LSB]
        return next(iter(halves.values()), 0)

    def forget(self, port: str) -> list[Held]:
        """Forget a port that is gone; returns what was held down on it."""
        held = sorted(item for item in self._down if item[0] == port)
        self._down.difference_update(held)
        for memory in (self._upper, self._lower):
            for place in [place for place in memory if place[0] == port]:
                del memory[place]
        for banked in [key for key in self._bank if key[0] == port]:
            del self._bank[banked]
        return held

    def _take_control(self, port: str, event: MidiEvent) -> None:
        place = (port, event.channel, event.number)
        if event.number < FIRST_LSB:
            self._upper[place] = event.value
            self._lower[place] = 0  # as the MIDI specification has it: the upper half starts anew
        elif event.number < 2 * FIRST_LSB:
            self._lower[port, event.channel, event.number - FIRST_LSB] = event.value
        if event.number in (BANK_SELECT, BANK_SELECT + FIRST_LSB):
            self._bank.setdefault((port, event.channel), {})[event.number] = event.value

    def _take_button(self, port: str, event: MidiEvent) -> tuple[bool, bool]:
        if event.source == "program":
            return True, False
        if event.source not in ("note", "control"):
            return False, False
        held = (port, event.source, event.channel, event.number)
        was_down = held in self._down
        if event.is_down:
            self._down.add(held)
            return event.source == "note" or not was_down, False
        self._down.discard(held)
        return False, was_down
