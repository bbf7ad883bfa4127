"""Soft take-over: a knob that stands elsewhere moves nothing until it has passed the present value."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

from vcfx_dsp.parameters import Value

#: As near as this, the knob has it: one and a half of 127 steps.
NEAR: Final = 1.5 / 127
#: What was sent is seen in the state a little later; so long an earlier value still counts as the knob's own.
OWN_S: Final = 0.5


@dataclass(slots=True)
class _Memory:
    position: float | None = None
    caught: bool = False
    last_sent: Value | None = None
    sent: deque[tuple[float, Value]] = field(default_factory=lambda: deque(maxlen=512))


class Pickup:
    """Decides for every knob whether it has its parameter; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._memories: dict[Hashable, _Memory] = {}

    def catches(self, knob: Hashable, position: float, target: float, present: Value) -> bool:
        """Return whether the knob at `position` may move its parameter.

        Parameters
        ----------
        knob
            Names the knob and what it moves.
        position
            Where the knob is now, 0 to 1.
        target
            Where it would have to be for the present value.
        present
            That value.
        """
        memory = self._memories.setdefault(knob, _Memory())
        caught = memory.caught and self._is_own(memory, present)
        if not caught:
            before = memory.position
            passed = before is not None and (before - target) * (position - target) <= 0.0
            caught = passed or abs(position - target) <= NEAR
        memory.position, memory.caught = position, caught
        return caught

    def sent(self, knob: Hashable, value: Value) -> None:
        """Note what the knob has set."""
        memory = self._memories.setdefault(knob, _Memory())
        memory.last_sent = value
        memory.sent.append((self._clock(), value))

    def _is_own(self, memory: _Memory, present: Value) -> bool:
        now = self._clock()
        while memory.sent and now - memory.sent[0][0] > OWN_S:
            memory.sent.popleft()
        own = [value for _, value in memory.sent]
        return any(_same(value, present) for value in (*own, memory.last_sent) if value is not None)


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return abs(one - other) <= 1e-6 * max(1.0, abs(one), abs(other))
