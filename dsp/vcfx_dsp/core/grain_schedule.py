"""When the next grain sounds and which analysis mark it takes.

A phase runs along the marks, one cycle per period times the pitch ratio; a grain sounds at every whole cycle. With a
ratio of one the grains fall on their own marks, to the bit. Where there is no voice every grain sits on its mark.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .grain_mix import (
    AMPLITUDE,
    CENTRE,
    COHERENCE,
    DEFAULT_RIGHT,
    FENCED,
    FIRST,
    GRAIN_SIZE,
    LAST,
    LEFT,
    MARK,
    OFFSET,
    OPEN,
    RIGHT,
    SLOTS_AT,
    SOUNDING,
    SPEED,
    take_grain,
)
from .kernel import compiled
from .onsets import ONSETS, ONSETS_AT
from .pitch_marks import MARKS, NEWEST, SPACING, mark_period, mark_position, mark_voiced

#: In ``counters``.
PLANNED, PLAN_VOICED, PLAN_MARK, LAST_VOICED, LAST_GRAIN = range(5)
#: In ``memory``; times in input samples.
PLAN_TIME, LAST_TIME, RUN_START, SEMITONES, SPEED_NOW, FIXED_PERIOD, RANGE, USUAL_PERIOD, NEXT_EVENT = range(9)
SCHEDULE_COUNTERS: Final = 5
SCHEDULE_MEMORY: Final = 9

LEAST_RATIO: Final = 0.2
MOST_RATIO: Final = 6.0
SNAP_SAMPLES: Final = 1e-4
#: Unvoiced grains read at another speed no longer add up in phase; all of it is gone at 3 % difference.
COHERENCE_LOSS: Final = 30.0
#: Parts of the unvoiced spacing: how much around an onset belongs to the grain that sits on it.
BEFORE_ONSET: Final = 0.1
AFTER_ONSET: Final = 0.4


@compiled
def pitch_ratio(schedule: Any, period: float) -> float:
    """Return by how much the pitch is to rise at a place with this period."""
    ratio = 2.0 ** (schedule[SEMITONES] / 12.0)
    if schedule[FIXED_PERIOD] > 0.0:
        ratio *= period / schedule[FIXED_PERIOD]
    elif schedule[RANGE] != 1.0:
        ratio *= (schedule[USUAL_PERIOD] / period) ** (schedule[RANGE] - 1.0)
    bounded: float = min(max(ratio, LEAST_RATIO), MOST_RATIO)
    return bounded


@compiled
def plan_next(counters: Any, schedule: Any, mark_counters: Any, marks: Any) -> None:
    """Find the next grain's time, kind and mark; no plan if the marks do not reach that far yet."""
    newest = mark_counters[NEWEST]
    time = schedule[LAST_TIME]
    index = newest
    while index > newest - MARKS + 2 and mark_position(marks, index) > time + SNAP_SAMPLES:
        index -= 1
    counters[PLANNED] = 0
    need = 1.0
    while index < newest:
        following = index + 1
        if not (mark_voiced(mark_counters, index) and mark_voiced(mark_counters, following)):
            index = following
            if mark_position(marks, following) - schedule[LAST_TIME] < 0.25 * mark_counters[SPACING]:
                time = mark_position(marks, following)
                need = 1.0
                continue
            _plan(counters, schedule, mark_position(marks, following), False, following)
            return
        period = mark_period(marks, following)
        end = mark_position(marks, following)
        ratio = pitch_ratio(schedule, period)
        reached = time + need * period / ratio
        if reached <= end + SNAP_SAMPLES:
            if abs(reached - end) < SNAP_SAMPLES:
                reached = end
            _plan(counters, schedule, reached, True, _nearest_mark(mark_counters, marks, reached, following))
            return
        need -= (end - time) * ratio / period
        time, index = end, following
    if mark_voiced(mark_counters, newest) and counters[LAST_VOICED] != 0:
        period = mark_period(marks, newest)
        reached = time + need * period / pitch_ratio(schedule, period)
        _plan(counters, schedule, reached, True, _nearest_mark(mark_counters, marks, reached, newest))


@compiled
def _plan(counters: Any, schedule: Any, time: float, voiced: bool, mark: int) -> None:
    counters[PLANNED], counters[PLAN_MARK] = 1, mark
    counters[PLAN_VOICED] = 1 if voiced else 0
    schedule[PLAN_TIME] = time


@compiled
def _nearest_mark(mark_counters: Any, marks: Any, time: float, index: int) -> int:
    """Return the mark of the voice nearest to `time`, from `index` backwards."""
    for _ in range(MARKS - 2):
        here, before = mark_position(marks, index), mark_position(marks, index - 1)
        if not mark_voiced(mark_counters, index - 1) or abs(here - time) <= abs(before - time):
            break
        index -= 1
    return index


@compiled
def planned_rise(counters: Any, schedule: Any, mark_counters: Any, marks: Any) -> float:
    """Return the length of the planned grain's rising half."""
    if counters[PLAN_VOICED] == 0:
        rise: float = schedule[PLAN_TIME] - schedule[LAST_TIME]
    else:
        since_onset = schedule[PLAN_TIME] - schedule[RUN_START]
        rise = min(mark_period(marks, counters[PLAN_MARK]) / schedule[SPEED_NOW], since_onset)
    return rise


@compiled
def _fence_from_onsets(grain: Any, onsets: Any, spacing: int) -> None:
    """Keep an unvoiced grain that is read at another speed from sounding an onset that is not its own."""
    middle = grain[CENTRE] + grain[OFFSET]
    for index in range(ONSETS):
        onset = onsets[ONSETS_AT + index]
        if onset == middle:
            grain[FIRST] = max(grain[FIRST], onset - BEFORE_ONSET * spacing)
        elif onset < middle:
            grain[FIRST] = max(grain[FIRST], onset + AFTER_ONSET * spacing)
        else:
            grain[LAST] = min(grain[LAST], onset - BEFORE_ONSET * spacing)


@compiled
def fence_off_onset(grain_counters: Any, grains: Any, onset: float, spacing: int) -> None:
    """Keep the grains that sound already from reading on into a new onset."""
    for place in range(grain_counters[SOUNDING]):
        grain = grains[grain_counters[SLOTS_AT + place] * GRAIN_SIZE :]
        if grain[FENCED] != 0.0:
            grain[LAST] = min(grain[LAST], onset - BEFORE_ONSET * spacing)


@compiled
def start_planned(
    counters: Any,
    schedule: Any,
    mark_counters: Any,
    marks: Any,
    onsets: Any,
    grain_counters: Any,
    grains: Any,
    now: int,
) -> None:
    """Turn the plan into a sounding grain."""
    mark, time, speed = counters[PLAN_MARK], schedule[PLAN_TIME], schedule[SPEED_NOW]
    voiced = mark_voiced(mark_counters, mark)
    slot = take_grain(grain_counters)
    grain = grains[slot * GRAIN_SIZE :]
    rise = planned_rise(counters, schedule, mark_counters, marks)
    period = mark_period(marks, mark)
    following = period
    if mark < mark_counters[NEWEST] and mark_voiced(mark_counters, mark + 1):
        following = mark_period(marks, mark + 1)
    grain[CENTRE], grain[OFFSET], grain[SPEED] = time, mark_position(marks, mark) - time, speed
    on_time = now - (time - rise) <= 1.0
    grain[LEFT] = max(rise if on_time else time - now, 1.0)
    grain[RIGHT], grain[DEFAULT_RIGHT] = OPEN, following / speed
    grain[FIRST], grain[LAST], grain[MARK] = -np.inf, np.inf, float(mark)
    grain[FENCED] = 0.0 if voiced or speed == 1.0 else 1.0
    grain[AMPLITUDE], grain[COHERENCE] = 1.0, 1.0
    if voiced:
        grain[AMPLITUDE] = np.sqrt(speed / pitch_ratio(schedule, period))
    elif speed != 1.0:
        grain[COHERENCE] = max(1.0 - COHERENCE_LOSS * abs(speed - 1.0), 0.0)
        _fence_from_onsets(grain, onsets, mark_counters[SPACING])
    if counters[PLAN_VOICED] == 0:
        former = grains[counters[LAST_GRAIN] * GRAIN_SIZE :]
        if former[RIGHT] == OPEN:
            former[RIGHT] = time - schedule[LAST_TIME]
        schedule[RUN_START] = time
    counters[LAST_GRAIN], counters[LAST_VOICED] = slot, 1 if voiced else 0
    schedule[LAST_TIME] = time


@compiled
def stretch_to_newest(mark_counters: Any, marks: Any, grain_counters: Any, grains: Any) -> None:
    """Let grains on the mark before the newest fall until the newest, now that its place is known."""
    newest = mark_counters[NEWEST]
    if not mark_voiced(mark_counters, newest):
        return
    for place in range(grain_counters[SOUNDING]):
        grain = grains[grain_counters[SLOTS_AT + place] * GRAIN_SIZE :]
        if int(grain[MARK]) == newest - 1:
            grain[DEFAULT_RIGHT] = mark_period(marks, newest) / grain[SPEED]
