"""What a MIDI map holds, once read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .event import FIRST_LSB, MidiEvent, Source
from .target import Target

SCHEMA_VERSION: Final = 1
Curve = Literal["linear", "log", "s"]
CURVES: Final[tuple[Curve, ...]] = ("linear", "log", "s")
Action = Literal["toggle", "hold"]
ACTIONS: Final[tuple[Action, ...]] = ("toggle", "hold")
EVERY_CHANNEL: Final = 0


@dataclass(frozen=True, slots=True)
class Binding:
    """One line of a map: this event works that target.

    Parameters
    ----------
    on
        The source.
    to
        The target.
    number, last
        Note, controller or program, 0 to 127; None: every one (notes and programs). `last` makes it a range.
    channel
        1 to 16; 0: the map's.
    bank
        Programs only: 0 to 16383, as the controller's bank select counts; None: whichever is chosen.
    bits
        Controllers only: 14 takes controller `number` + 32 for the lower 7 bits.
    low, high
        Value of a parameter (or semitones, for ``pitch``) at the lowest and highest position; `low` may be above
        `high`. None: the end of the parameter's range.
    curve
        ``linear``; ``log``: equal ratios for equal ways, for Hz and ms; ``s``: fine at both ends.
    pickup
        Whether the controller moves nothing until it has passed the present value (soft take-over); None: the map's.
    action
        Of switches: ``toggle`` at every press, or ``hold``: on while held.
    on_light, off_light
        What is sent to the controller's light, 0 to 127; many show colours so.
    """

    on: Source
    to: Target
    number: int | None = None
    last: int | None = None
    channel: int = EVERY_CHANNEL
    bank: int | None = None
    bits: int = 7
    low: float | None = None
    high: float | None = None
    curve: Curve = "linear"
    pickup: bool | None = None
    action: Action = "toggle"
    on_light: int = 127
    off_light: int = 0

    @property
    def trigger(self) -> str:
        """The event in words: ``control 7 and 39, channel 2``."""
        words = self.on.replace("-", " ")
        if self.number is not None:
            words += f" {self.number}" + (f" to {self.last}" if self.last is not None else "")
        if self.bits == 14:
            words += f" and {(self.number or 0) + FIRST_LSB}"
        words += f", bank {self.bank}" if self.bank is not None else ""
        return words + (f", channel {self.channel}" if self.channel else "")

    def covers(self, event: MidiEvent) -> bool:
        """Whether the event's source and number are meant, whatever channel and bank."""
        if event.source != self.on:
            return False
        if self.number is None:
            return True
        if self.bits == 14 and event.number == self.number + FIRST_LSB:
            return True
        return self.number <= event.number <= (self.number if self.last is None else self.last)


@dataclass(frozen=True, slots=True)
class MidiMap:
    """What a controller's events do.

    Parameters
    ----------
    name, description
        For people.
    channel
        1 to 16; 0 hears all.
    pickup
        Soft take-over for all that do not say otherwise.
    lights
        Whether the controller's own lights and motors are told what is on.
    presets
        Presets by place, where they shall not be those of the running bank.
    bindings
        In the order of the file; an event may do several things.
    """

    name: str
    description: str = ""
    channel: int = EVERY_CHANNEL
    pickup: bool = False
    lights: bool = False
    presets: tuple[str, ...] = ()
    bindings: tuple[Binding, ...] = ()

    def channel_of(self, binding: Binding) -> int:
        """Return the channel that a binding hears; 0 for all."""
        return binding.channel or self.channel

    def bindings_of(self, event: MidiEvent) -> tuple[Binding, ...]:
        """Return what the event works, banks aside."""
        return tuple(
            binding
            for binding in self.bindings
            if binding.covers(event) and self.channel_of(binding) in (EVERY_CHANNEL, event.channel)
        )
