"""A device's clock as a straight line: which frame count belongs to which time, seen through jittery callbacks.

A delay-locked loop of second order (F. Adriaensen, "Using a DLL to filter time", LAC 2005). Each callback says: at
this time the count stood in the middle of this block. The observation weighs by the block's nominal length, not by
the time passed, so that a burst of blocks counts as many observations. The loop starts wide and narrows as 1 / age.
"""

from __future__ import annotations

import math
from typing import Any

from .kernel import compiled

#: Places in a line's float64 memory. COUNT at TIME_S and RATE are the line; PEAK is how far, in frames, the far edge
#: of a block was off it, and is what a buffer must hold. RECENT and OLDER are peaks of two windows not yet believed,
#: TOP the highest peak, which counts once it comes again.
(
    COUNT,
    TIME_S,
    RATE,
    NOMINAL,
    AGE_S,
    ASTRAY_S,
    PEAK,
    RECENT,
    OLDER,
    WINDOW_FROM_S,
    STARTED,
    SIDE,
    RESTARTS,
    HALF_BLOCK,
    TOP,
) = range(15)
LINE_SIZE = 15
WRITER_SIDE, READER_SIDE = 1.0, -1.0

MAX_RATE_ERROR = 0.003
FINAL_RAD_S = 0.1
LOST_S = 0.3
ASTRAY_MS = 2.0
ASTRAY_LIMIT_S = 0.2
AGE_AFTER_LOSS_S = 2.0
WINDOW_LENGTH_S = 0.25
LEARNING_S = 5.0
#: Share of the jitter seen that is held in reserve for what has not been seen yet.
JITTER_RESERVE = 0.15
QUICK_FALL_S, TOP_FALL_S, SLOW_FALL_S = 2.0, 600.0, 1800.0
#: Gains of 4 / age and 6 / age^2 find a line as least squares over the whole age do.
SCHEDULE = math.sqrt(6.0)
DAMPING = 2.0 / SCHEDULE
FIRST_RAD_S = 4.0


def line_memory(rate_hz: float, side: float) -> list[float]:
    """Return the initial memory of a line; `side` says which edge of a block the buffer has to cover."""
    memory = [0.0] * LINE_SIZE
    memory[RATE] = memory[NOMINAL] = rate_hz
    memory[SIDE] = side
    return memory


@compiled
def line_at(line: Any, now_s: float) -> float:
    """Return the count that the line gives for a time."""
    count: float = line[COUNT] + line[RATE] * (now_s - line[TIME_S])
    return count


@compiled
def _restart(line: Any, now_s: float, middle: float, frames: int, age_s: float) -> None:
    line[COUNT] = middle
    line[TIME_S] = now_s
    line[AGE_S] = age_s
    line[ASTRAY_S] = 0.0
    line[RECENT] = line[OLDER] = 0.5 * frames
    line[WINDOW_FROM_S] = now_s
    line[RESTARTS] += 1.0


@compiled
def _learn_peak(line: Any, deviation: float, now_s: float) -> None:
    """Take over peaks one window late: if frames were lost, the line restarts first and the peak is forgotten.

    The second highest counts, so that one hiccup does not delay everything that follows.
    """
    passed_s = now_s - line[WINDOW_FROM_S]
    if passed_s >= WINDOW_LENGTH_S:
        learning = line[AGE_S] < LEARNING_S
        fall = min(1.0, passed_s / (QUICK_FALL_S if learning else SLOW_FALL_S))
        fall_top = min(1.0, passed_s / (QUICK_FALL_S if learning else TOP_FALL_S))
        older, top = line[OLDER], line[TOP]
        peak = max(min(older, top), line[PEAK])
        line[PEAK] = peak - max(0.0, peak - older) * fall
        line[TOP] = max(older, top - (top - older) * fall_top)
        line[OLDER] = line[RECENT]
        line[RECENT] = line[HALF_BLOCK]
        line[WINDOW_FROM_S] = now_s
    line[RECENT] = max(line[RECENT], deviation)


@compiled
def _is_lost(line: Any, error: float, frames: int, duration_s: float) -> bool:
    """Tell a gap in the stream from jitter: it is large, or it stays on one side."""
    if abs(error) > LOST_S * line[NOMINAL] + frames:
        return True
    astray = line[ASTRAY_S]
    jitter = max(0.0, line[PEAK] - line[HALF_BLOCK])
    if abs(error) < jitter + ASTRAY_MS * 1e-3 * line[NOMINAL]:
        line[ASTRAY_S] = 0.0
    elif error > 0.0:
        line[ASTRAY_S] = max(astray, 0.0) + duration_s
    else:
        line[ASTRAY_S] = min(astray, 0.0) - duration_s
    lost: bool = abs(line[ASTRAY_S]) > ASTRAY_LIMIT_S
    return lost


@compiled
def line_observe(line: Any, now_s: float, before: float, frames: int) -> None:
    """Learn that a block of `frames` followed the count `before` at a time."""
    middle = before + 0.5 * frames
    line[HALF_BLOCK] = 0.5 * frames
    if line[STARTED] == 0.0:
        line[STARTED] = 1.0
        _restart(line, now_s, middle, frames, 0.0)
        line[PEAK] = line[TOP] = 0.5 * frames
        return
    duration_s = frames / line[NOMINAL]
    predicted = line_at(line, now_s)
    error = middle - predicted
    if _is_lost(line, error, frames, duration_s):
        _restart(line, now_s, middle, frames, min(line[AGE_S], AGE_AFTER_LOSS_S))
        return
    gain = min(0.3, duration_s * max(FINAL_RAD_S, SCHEDULE / (SCHEDULE / FIRST_RAD_S + line[AGE_S])))
    line[COUNT] = predicted + 2.0 * DAMPING * gain * error
    line[TIME_S] = now_s
    rate = line[RATE] + gain * gain / duration_s * error
    limit = MAX_RATE_ERROR * line[NOMINAL]
    line[RATE] = min(line[NOMINAL] + limit, max(line[NOMINAL] - limit, rate))
    line[AGE_S] += duration_s
    _learn_peak(line, line[SIDE] * (line[COUNT] - middle) + 0.5 * frames, now_s)


@compiled
def line_peak(line: Any) -> float:
    """Return how far off the line, in frames, the buffer has to reach for this device."""
    peak = line[PEAK]
    if line[AGE_S] < 4.0 * WINDOW_LENGTH_S:  # too young to have windows
        peak = max(peak, max(line[OLDER], line[RECENT]))
    jitter = max(0.0, peak - line[HALF_BLOCK])
    reach: float = peak + JITTER_RESERVE * jitter
    return reach
