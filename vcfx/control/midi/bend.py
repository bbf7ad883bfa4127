"""The voice's pitch moved away from where the preset has it, and back."""

from __future__ import annotations

from typing import Final

from vcfx.control.live_state import LiveState, ParameterState
from vcfx.control.messages import SetParameter

from .midi_map import Binding

#: Kind of node and the parameter that moves its pitch; the first such node of the chain is bent.
PITCH_PARAMETERS: Final = {"voice": "pitch_semitones", "pitch": "shift_semitones"}
RANGE_SEMITONES: Final = 2.0


class Bend:
    """Adds an offset to the pitch of the running preset, and remembers the pitch without it."""

    def __init__(self) -> None:
        self._at: tuple[str, str, str] | None = None
        self._without = 0.0

    def message(self, offset_semitones: float, state: LiveState) -> SetParameter | None:
        """Return what sets the offset; None where nothing can be bent or nothing was."""
        found = _pitch_of(state)
        if found is None:
            self._at = None
            return None
        node, parameter = found
        at = (state.preset_name, state.preset, node)
        if at != self._at:
            if offset_semitones == 0.0:
                return None
            self._at, self._without = at, float(parameter.value)
        value = self._without + offset_semitones
        lowest = value if parameter.minimum is None else parameter.minimum
        highest = value if parameter.maximum is None else parameter.maximum
        if offset_semitones == 0.0:
            self._at = None
        return SetParameter(node, parameter.name, min(max(value, lowest), highest))

    def undo(self, state: LiveState) -> SetParameter | None:
        """Return what takes the offset back; None where there is none."""
        return None if self._at is None else self.message(0.0, state)


def offset_at(position: float, binding: Binding) -> float:
    """Return the semitones at a position; none in the middle, however uneven the two ways are."""
    low = -RANGE_SEMITONES if binding.low is None else binding.low
    high = RANGE_SEMITONES if binding.high is None else binding.high
    return low * (1.0 - 2.0 * position) if position < 0.5 else high * (2.0 * position - 1.0)


def _pitch_of(state: LiveState) -> tuple[str, ParameterState] | None:
    for node in state.chain:
        wanted = PITCH_PARAMETERS.get(node.kind)
        for parameter in node.parameters:
            if parameter.name == wanted and parameter.live and not node.bypassed:
                return node.id, parameter
    return None
