"""Linear ramps that take a fixed time, so that a change sounds the same however the signal is cut into blocks."""

from __future__ import annotations

from typing import Any

from .kernel import compiled

RAMP_MS = 10.0
#: Floats that one ramp occupies in ``memory``: present value, target, increment per frame, frames left.
RAMP_SIZE = 4
VALUE, TARGET, INCREMENT, FRAMES_LEFT = range(RAMP_SIZE)


def ramp_memory(value: float) -> list[float]:
    """Return the initial memory of a ramp that rests at `value`."""
    return [value, value, 0.0, 0.0]


@compiled
def ramp_retarget(memory: Any, at: int, target: float, ramp_frames: float) -> None:
    """Aim the ramp at ``memory[at:]`` at `target`, if that is new; call once per block."""
    if target != memory[at + TARGET]:
        memory[at + TARGET] = target
        memory[at + INCREMENT] = (target - memory[at + VALUE]) / max(ramp_frames, 1.0)
        memory[at + FRAMES_LEFT] = max(ramp_frames, 1.0)


@compiled
def ramp_next(memory: Any, at: int) -> float:
    """Advance the ramp by one frame and return its value."""
    left = memory[at + FRAMES_LEFT]
    if left > 0.0:
        left -= 1.0
        memory[at + FRAMES_LEFT] = left
        if left <= 0.0:
            memory[at + VALUE] = memory[at + TARGET]
        else:
            memory[at + VALUE] += memory[at + INCREMENT]
    value: float = memory[at + VALUE]
    return value


@compiled
def is_any_moving(memory: Any, ramps: int) -> bool:
    """Whether one of the ramps at the start of `memory` has not arrived yet."""
    longest = 0.0
    for ramp in range(ramps):
        longest = max(longest, memory[ramp * RAMP_SIZE + FRAMES_LEFT])
    return longest > 0.0
