"""Where a clock bridge reads: the place in the ring, how full it is, how full it should be, jumps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .bridge_input import (
    COUNT_SCALE,
    RATE_SCALE,
    RESAMPLER,
    RING,
    SEQUENCE,
    SHARED_COUNT,
    SHARED_PEAK,
    SHARED_RATE,
    SHARED_TIME_NS,
)
from .fractional import FILLED, FRACTION, ONE_FRAME, TAPS, fractional_input, fractional_parts, fractional_seek
from .kernel import compiled
from .line import LINE_SIZE, line_at, line_peak
from .native import load_acquire
from .ring import CAPACITY, ring_copy, ring_header, ring_position, ring_release
from .steering import STEERING_SIZE

#: Places in the pull side's counters. FLOOR is the oldest ring position that may be played; CROSSFADE_LEFT the output
#: frames of the old place still to be blended in; MIRRORED the frames repeated backwards since the ring ran dry.
MODE, FRAMES_OUT, STEP, UNDERRUNS, DROPS, DROPPED_FRAMES, FLOOR, MIRRORED, CROSSFADE_LEFT, CHANNELS, FADE_FRAMES = (
    range(11)
)
PRIMING, RUNNING, STARVING = range(3)
#: Places in its memory: the output's line, the controller, then these. IN_* is the input's line as last published.
STEERING = LINE_SIZE
IN_COUNT = LINE_SIZE + STEERING_SIZE
(IN_TIME_S, IN_RATE, IN_PEAK, FILL, TARGET, EXCESS_S, GAIN, RATE_IN, RATE_OUT, MARGIN, LEAST_TARGET, ROUGH_S) = range(
    IN_COUNT + 1, IN_COUNT + 13
)
PULL_MEMORY_SIZE = IN_COUNT + 13
_READ_ATTEMPTS = 8


@compiled
def take_input_line(shared: int, memory: Any) -> None:
    """Take over the published line; keep the former one if the writer is always in between."""
    for _ in range(_READ_ATTEMPTS):
        first = load_acquire(shared + 8 * SEQUENCE)
        time_ns = load_acquire(shared + 8 * SHARED_TIME_NS)
        count = load_acquire(shared + 8 * SHARED_COUNT)
        rate = load_acquire(shared + 8 * SHARED_RATE)
        peak = load_acquire(shared + 8 * SHARED_PEAK)
        if first % 2 == 0 and load_acquire(shared + 8 * SEQUENCE) == first:
            memory[IN_TIME_S] = time_ns * 1e-9
            memory[IN_COUNT] = count / COUNT_SCALE
            memory[IN_RATE] = rate / RATE_SCALE
            memory[IN_PEAK] = peak / COUNT_SCALE
            return


@compiled
def _half_width(resampler: int) -> Any:
    counters, _ = fractional_parts(resampler)
    return counters[TAPS] // 2


@compiled
def next_time(table: Any) -> Any:
    """Return the time of the next output frame as a position in the ring."""
    counters, _ = fractional_parts(table[RESAMPLER])
    first = ring_position(table[RING]) - counters[FILLED]
    return first + counters[TAPS] // 2 - 1 + counters[FRACTION] / ONE_FRAME


@compiled
def aim(table: Any, counters: Any, memory: Any) -> None:
    """Set TARGET: both devices' block halves and jitter, the filter's look-ahead, the margin."""
    step = counters[STEP] / ONE_FRAME
    derived = memory[IN_PEAK] + line_peak(memory) * step + _half_width(table[RESAMPLER]) + memory[MARGIN]
    most = 0.25 * ring_header(table[RING])[CAPACITY]
    memory[TARGET] = min(most, max(derived, memory[LEAST_TARGET]))


@compiled
def ideal_time(counters: Any, memory: Any, now_s: float, before: int) -> Any:
    """Return which ring position the next output frame should have for the fill to be TARGET."""
    arrived = memory[IN_COUNT] + memory[IN_RATE] * (now_s - memory[IN_TIME_S])
    ahead = (line_at(memory, now_s) - before) * counters[STEP] / ONE_FRAME
    return arrived - ahead - memory[TARGET]


@compiled
def last_needed(table: Any, counters: Any, time: float, frames: int) -> Any:
    """Return the ring position after the last frame that `frames` output frames from `time` look at."""
    last = math.floor(time + (frames - 1) * counters[STEP] / ONE_FRAME)
    return np.int64(last) + 2 + _half_width(table[RESAMPLER])


@compiled
def first_needed(table: Any, time: float) -> Any:
    """Return the ring position of the first frame that an output frame at `time` looks at."""
    return np.int64(math.floor(time)) - _half_width(table[RESAMPLER]) + 1


@compiled
def seek(table: Any, time: float) -> None:
    """Make `time` the place of the next output frame."""
    fraction: Any = np.int64((time - math.floor(time)) * ONE_FRAME)
    fractional_seek(table[RESAMPLER], fraction)
    ring_release(table[RING], first_needed(table, time))


@compiled
def feed(table: Any, counters: Any, needed: int, available: int) -> None:
    """Feed the resampler from the ring; what is missing, with the newest audio played backwards."""
    resampler, ring = table[RESAMPLER], table[RING]
    real = min(needed, available)
    position = ring_position(ring)
    target, stride = fractional_input(resampler)
    ring_copy(ring, position, target, stride, real)
    position += real
    for frame in range(real, needed):
        ring_copy(ring, position - 1 - counters[MIRRORED], target + 4 * frame, stride, 1)
        counters[MIRRORED] += 1
    ring_release(ring, position)
    resampler_counters, _ = fractional_parts(resampler)
    resampler_counters[FILLED] += needed
