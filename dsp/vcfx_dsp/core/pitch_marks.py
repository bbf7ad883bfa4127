"""Analysis marks: one per glottal period, in phase from period to period, and a steady grid where there is no voice."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .decimator import HALF_LENGTH
from .f0 import DECIMATED, FACTOR, HISTORY, HOP, LONGEST, RING, RING_AT, WINDOW, traced_period
from .kernel import compiled
from .nccf import peak_offset
from .onsets import onset_between

#: Marks kept; the oldest is more than 64 shortest periods (100 ms) old.
MARKS: Final = 64
UNVOICED_SPACING_S: Final = 0.005
SEARCH_RATIO: Final = 0.18
MATCH_RATIO: Final = 0.6  # of a period, to either side of a mark
#: Neighbours less alike than this are not two periods of one voice.
LEAST_MATCH: Final = 0.25
#: The same once the tracker has given up: creak and the ends of words go on for up to so many periods.
HELD_MATCH: Final = 0.4
MOST_HELD: Final = 8
SCRATCH: Final = 512

POSITION_AT, PERIOD_AT = 0, MARKS
SCRATCH_AT: Final = 2 * MARKS
MARK_MEMORY: Final = SCRATCH_AT + 2 * SCRATCH
NEWEST, SPACING, VOICED_AT = range(3)
MARK_COUNTERS: Final = VOICED_AT + MARKS


@compiled
def mark_position(memory: Any, index: int) -> float:
    """Return a mark's time in input samples."""
    position: float = memory[POSITION_AT + index % MARKS]
    return position


@compiled
def mark_period(memory: Any, index: int) -> float:
    """Return the period in input samples that ends at a mark."""
    period: float = memory[PERIOD_AT + index % MARKS]
    return period


@compiled
def mark_voiced(counters: Any, index: int) -> bool:
    """Return whether a mark sits on a glottal period."""
    voiced: bool = counters[VOICED_AT + index % MARKS] != 0
    return voiced


@compiled
def append_mark(counters: Any, memory: Any, position: float, period: float, voiced: int) -> None:
    """Add the next mark; `voiced` is 0 without voice, else 1 and the number of periods held so far."""
    counters[NEWEST] += 1
    slot = counters[NEWEST] % MARKS
    memory[POSITION_AT + slot] = position
    memory[PERIOD_AT + slot] = period
    counters[VOICED_AT + slot] = voiced


@compiled
def period_at(f0_counters: Any, f0_memory: Any, now: int, time: float) -> float:
    """Return the tracker's period for a moment of the input, 0 where unvoiced; the newest frame beyond its reach."""
    factor = f0_counters[FACTOR]
    hop = f0_counters[HOP] * factor
    since = now % hop
    newest = traced_period(f0_counters, f0_memory, 0)
    middle = now - since - 0.5 * f0_counters[WINDOW] * factor - HALF_LENGTH * factor - 0.5 * newest
    hops_ago = round((middle - time) / hop)
    return traced_period(f0_counters, f0_memory, min(max(hops_ago, 0), HISTORY - 1))


@compiled
def next_mark(f0_counters: Any, f0_memory: Any, onsets: Any, counters: Any, memory: Any, now: int) -> None:
    """Decide the mark after the newest one from what has been heard up to sample `now`.

    Without voice the marks keep their distance, but an onset pulls the mark nearest to it onto itself.
    """
    last = counters[NEWEST]
    position, spacing = mark_position(memory, last), counters[SPACING]
    before = mark_period(memory, last) if mark_voiced(counters, last) else float(spacing)
    period = period_at(f0_counters, f0_memory, now, position + 0.5 * before)
    held = 0 if period > 0.0 else counters[VOICED_AT + last % MARKS]
    if mark_voiced(counters, last) and held <= MOST_HELD:
        least = LEAST_MATCH if held == 0 else HELD_MATCH
        expected = period if held == 0 else min(before, float(f0_counters[LONGEST] * f0_counters[FACTOR]))
        found = _matching_distance(f0_counters, f0_memory, memory, position, expected, least)
        if found > 0.0:
            append_mark(counters, memory, position + found, found, 1 + held)
            return
    elif period > 0.0:
        epoch = _strongest_epoch(f0_counters, f0_memory, position + 0.4 * spacing, period)
        append_mark(counters, memory, epoch, period, 1)
        return
    pinned = onset_between(onsets, position + 0.4 * spacing, position + 1.4 * spacing)
    following = pinned if pinned >= 0.0 else np.floor(position) + spacing
    append_mark(counters, memory, following, float(spacing), 0)


@compiled
def _to_analysis(f0_counters: Any, time: float) -> float:
    factor = f0_counters[FACTOR]
    analysis_time: float = (time + HALF_LENGTH * factor - (factor - 1)) / factor
    return analysis_time


@compiled
def _matching_distance(
    f0_counters: Any, f0_memory: Any, memory: Any, position: float, period: float, least: float
) -> float:
    """Return how far after `position` the signal looks most like around it, near `period`.

    Likeness is a correlation; where none reaches `least`, 0.
    """
    factor, ring_size, end = f0_counters[FACTOR], f0_counters[RING], f0_counters[DECIMATED]
    ring = f0_memory[f0_counters[RING_AT] :]
    expected = period / factor
    shortest = max(int(expected * (1.0 - SEARCH_RATIO)) - 1, 2)
    longest = int(expected * (1.0 + SEARCH_RATIO)) + 2
    middle = round(_to_analysis(f0_counters, position))
    left = max(int(MATCH_RATIO * expected), 8)
    right = min(left, end - 1 - middle - longest)
    oldest = end - ring_size
    left = min(left, middle - oldest)
    shifts = longest - shortest + 1
    if left + right < 8 or shifts > SCRATCH:
        return 0.0
    first = (middle - left) % ring_size
    products, powers = memory[SCRATCH_AT:], memory[SCRATCH_AT + SCRATCH :]
    for shift in range(shifts):
        products[shift], powers[shift] = 0.0, 0.0
    power = 1e-12
    for frame in range(left + right + 1):
        value = ring[first + frame]
        power += value * value
        base = (middle - left + frame + shortest) % ring_size
        for shift in range(shifts):
            other = ring[base + shift]
            products[shift] += value * other
            powers[shift] += other * other
    best = 1
    for shift in range(shifts):
        products[shift] /= np.sqrt(power * (powers[shift] + 1e-12))
        if 1 <= shift < shifts - 1 and products[shift] > products[best]:
            best = shift
    if products[best] < least:
        return 0.0
    offset = peak_offset(products[best - 1], products[best], products[best + 1])
    distance: float = (shortest + best + offset) * factor
    return distance


@compiled
def _strongest_epoch(f0_counters: Any, f0_memory: Any, earliest: float, period: float) -> float:
    """Return the middle of the strongest quarter of the period that begins at `earliest`."""
    factor, ring_size, end = f0_counters[FACTOR], f0_counters[RING], f0_counters[DECIMATED]
    ring = f0_memory[f0_counters[RING_AT] :]
    reach = max(int(0.125 * period / factor), 1)
    first = int(np.ceil(_to_analysis(f0_counters, earliest)))
    count = int(period / factor)
    best, best_power = 0, -1.0
    for step in range(count):
        middle = first + step
        if middle + reach >= end:
            break
        power = 0.0
        start = (middle - reach) % ring_size
        for frame in range(2 * reach + 1):
            power += ring[start + frame] * ring[start + frame] * (reach + 1 - abs(frame - reach))
        if power > best_power:
            best, best_power = step, power
    epoch: float = earliest + best * factor
    return epoch
