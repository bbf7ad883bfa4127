"""The smallest of the last values, with the same few steps for each, whatever the values are.

The window is cut where a lap of the ring ends. What lies before the cut is answered by minima from each place to the
lap's end, worked out once a lap; what lies after it by one running minimum.
"""

from __future__ import annotations

from typing import Any

from .kernel import compiled

_POSITION, _SINCE_CUT, _LATEST, _LAP = range(4)


def running_minimum_memory(size: int, value: float) -> list[float]:
    """Return the initial memory of a window of `size` values that are all `value`; no later value may be above it."""
    return [0.0, value, value, *[value] * (size + 1)]


@compiled
def running_minimum_size(size: int) -> int:
    """Return the length of `running_minimum_memory`."""
    return _LAP + size + 1


@compiled
def latest_minimum(memory: Any, at: int) -> float:
    """Return the smallest value of the window that ended last."""
    latest: float = memory[at + _LATEST]
    return latest


@compiled
def running_minimum(memory: Any, at: int, size: int, row: int, frames: int) -> None:
    """Replace each value in ``memory[row:]`` by the smallest of the last `size`."""
    position, lap = int(memory[at + _POSITION]), at + _LAP
    since_cut, highest = memory[at + _SINCE_CUT], memory[lap + size]
    for frame in range(row, row + frames):
        value = memory[frame]
        since_cut = min(since_cut, value)
        memory[lap + position] = value
        memory[frame] = min(since_cut, memory[lap + position + 1])
        position += 1
        if position == size:
            for place in range(lap + size - 1, lap - 1, -1):
                memory[place] = min(memory[place], memory[place + 1])
            position, since_cut = 0, highest
    memory[at + _POSITION], memory[at + _SINCE_CUT] = position, since_cut
    if frames > 0:
        memory[at + _LATEST] = memory[row + frames - 1]
