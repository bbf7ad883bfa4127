"""Clicks and bursts in the input: the moments that must sound once and in their place."""

from __future__ import annotations

from typing import Any, Final

from .kernel import compiled

SLICE_S: Final = 0.001
#: A slice whose high frequencies carry this many times the power of the recent past is an onset.
POWER_JUMP: Final = 12.0
POWER_FLOOR: Final = 1e-7  # of the difference signal, per sample
#: Share of a new slice in the recent past: about 8 ms.
PAST_SHARE: Final = 0.12
APART_SLICES: Final = 8
ONSETS: Final = 8

#: In ``memory``: last sample, power of the slice so far, its largest difference and where, past power, then onsets.
LAST_SAMPLE, POWER, LARGEST, LARGEST_AT, PAST, ONSETS_AT = range(6)
ONSET_MEMORY: Final = ONSETS_AT + ONSETS
#: In ``counters``.
SLICE, FILLED, QUIET_SLICES, FOUND = range(4)
ONSET_COUNTERS: Final = 4
#: The first contents of ``memory``: silence, and no onset yet.
NO_ONSETS: Final = (0.0,) * ONSETS_AT + (-1e18,) * ONSETS


@compiled
def watch_onsets(counters: Any, memory: Any, now: int, sample: float) -> bool:
    """Take one mono sample; return whether it completed a slice with an onset, then the newest in the list."""
    difference = sample - memory[LAST_SAMPLE]
    memory[LAST_SAMPLE] = sample
    memory[POWER] += difference * difference
    if abs(difference) > memory[LARGEST]:
        memory[LARGEST], memory[LARGEST_AT] = abs(difference), float(now)
    counters[FILLED] += 1
    if counters[FILLED] < counters[SLICE]:
        return False
    power = memory[POWER] / counters[SLICE]
    counters[QUIET_SLICES] += 1
    found = power > POWER_JUMP * memory[PAST] + POWER_FLOOR and counters[QUIET_SLICES] > APART_SLICES
    if found:
        memory[ONSETS_AT + counters[FOUND] % ONSETS] = memory[LARGEST_AT]
        counters[FOUND] += 1
        counters[QUIET_SLICES] = 0
    memory[PAST] += PAST_SHARE * (power - memory[PAST])
    memory[POWER], memory[LARGEST], counters[FILLED] = 0.0, 0.0, 0
    onset: bool = found
    return onset


@compiled
def newest_onset(counters: Any, memory: Any) -> float:
    """Return the time of the onset found last."""
    onset: float = memory[ONSETS_AT + (counters[FOUND] - 1) % ONSETS]
    return onset


@compiled
def onset_between(memory: Any, earliest: float, latest: float) -> float:
    """Return the first onset in a span of time, -1 if there is none."""
    first = -1.0
    for index in range(ONSETS):
        onset = memory[ONSETS_AT + index]
        if earliest < onset <= latest and (first < 0.0 or onset < first):
            first = onset
    return first
