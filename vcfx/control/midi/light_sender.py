"""Sends a controller what its lights should show, and nothing that they show already."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from .event import MidiEvent
from .lights import Light
from .ports import MidiOutput

#: A motor fader is left alone so long after a hand has moved it.
HAND_S: Final = 0.3
_CONTROL: Final = 0xB0


class LightSender:
    """One output and what was sent to it."""

    def __init__(self, output: MidiOutput) -> None:
        self._output = output
        self._sent: dict[Light, int] = {}

    @property
    def port_name(self) -> str:
        """The output's name."""
        return self._output.name

    def show(self, wanted: Mapping[Light, int], moved: Mapping[Light, tuple[float, int]]) -> None:
        """Send what differs from what was sent before; lights that mean nothing any more go out.

        Parameters
        ----------
        wanted
            From `lights_of`.
        moved
            When a hand moved a controller (`time.monotonic`), and to where.
        """
        now = time.monotonic()
        for light in [light for light in self._sent if light not in wanted]:
            self._darken(light)
        for light, value in wanted.items():
            when, position = moved.get(light, (0.0, -1))
            if now - when < HAND_S:
                self._sent[light] = position
            elif self._sent.get(light) != value and self._output.send([*light, value]):
                self._sent[light] = value

    def close(self) -> None:
        """Darken all notes and close the output."""
        for light in list(self._sent):
            self._darken(light)
        self._output.close()

    def _darken(self, light: Light) -> None:
        value = self._sent.pop(light)
        if value and light[0] & 0xF0 != _CONTROL:
            self._output.send([*light, 0])


def light_of(event: MidiEvent) -> Light | None:
    """Return the light of a controller that was moved; None for all that has no motor."""
    return (_CONTROL | (event.channel - 1), event.number) if event.source == "control" else None
