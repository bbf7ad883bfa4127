"""MIDI learn: which line of a map the next movement of a controller makes."""

from __future__ import annotations

from typing import Final

from .event import BANK_SELECT, FIRST_LSB, VALUE_MAX, MidiEvent
from .midi_map import Binding
from .target import Target
from .unfit import default_action, unfit

#: A controller with 14 bits sends its lower half within this time.
SETTLE_S: Final = 0.3


class Learner:
    """Waits for an event that can work a target.

    Parameters
    ----------
    target
        What shall be worked; by place it cannot be learned.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._first: MidiEvent | None = None
        self._has_lower_half = False
        self._settled_s = 0.0

    def take(self, event: MidiEvent, now_s: float) -> str:
        """Look at an event; returns a sentence if it cannot work the target."""
        if self._first is not None:
            lower = (self._first.channel, self._first.number + FIRST_LSB)
            self._has_lower_half |= event.source == "control" and (event.channel, event.number) == lower
            return ""
        problem = self._problem(event)
        if not problem:
            self._first = event
            fine = event.source == "control" and event.number < FIRST_LSB and self.target.is_continuous
            self._settled_s = now_s + (SETTLE_S if fine else 0.0)
        return problem

    def result(self, now_s: float) -> Binding | None:
        """Return the line, once it is clear."""
        if self._first is None or now_s < self._settled_s:
            return None
        return self._binding(self._first)

    def _problem(self, event: MidiEvent) -> str:
        if event.source == "note" and event.value == 0:
            return "the end of a note"
        if event.source == "control" and event.number in (BANK_SELECT, BANK_SELECT + FIRST_LSB):
            return "a bank select belongs to the program change that follows"
        if event.source == "control" and event.value == 0 and not self.target.is_continuous:
            return "the end of a press"
        return unfit(self._binding(event))

    def _binding(self, event: MidiEvent) -> Binding:
        has_number = event.source in ("note", "control", "program")
        return Binding(
            on=event.source,
            to=self.target,
            number=event.number if has_number else None,
            channel=event.channel,
            bits=14 if self._has_lower_half else 7,
            action="toggle" if event.source == "program" else default_action(self.target),
            on_light=VALUE_MAX,
        )


def learnable(target: Target) -> str:
    """Return why a target cannot be learned; empty if it can."""
    if target.is_by_place:
        return f"name one: {target.kind}:NAME"
    return ""
