"""The output device's half of a clock bridge: read at the steered ratio, fade over every fault.

PRIMING gives silence until the ring holds the target; RUNNING follows the input's clock; STARVING fades out on the
newest audio played backwards, which joins without a step, and leads back to PRIMING.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from .bridge_input import BLOCKED, CLOCK, PULL_STATE, RESAMPLER, RING, SHARED, bridge_table, state_arrays
from .bridge_reading import (
    CHANNELS,
    CROSSFADE_LEFT,
    DROPPED_FRAMES,
    DROPS,
    EXCESS_S,
    FADE_FRAMES,
    FILL,
    FLOOR,
    FRAMES_OUT,
    GAIN,
    IN_PEAK,
    IN_RATE,
    MIRRORED,
    MODE,
    PRIMING,
    RATE_IN,
    RATE_OUT,
    ROUGH_S,
    RUNNING,
    STARVING,
    STEERING,
    STEP,
    TARGET,
    UNDERRUNS,
    aim,
    feed,
    first_needed,
    ideal_time,
    last_needed,
    next_time,
    seek,
    take_input_line,
)
from .fractional import ONE_FRAME, fractional_needed, fractional_possible, fractional_produce
from .kernel import compiled, compiled_entry
from .line import AGE_S, line_observe
from .native import as_pointer, clock_ns, load_acquire, store_release
from .ring import CAPACITY, ring_fill, ring_header, ring_position, ring_release, ring_written
from .steering import steer

FADE_MS = 5.0
#: Both clocks are watched for so long before the first sound, to learn their jitter.
OBSERVE_S = 0.25
#: Audio beyond the target counts as stale above this, at once or after a while.
STALE_S, STALE_AT_ONCE_S, STALE_AFTER_S = 0.02, 0.1, 0.25
#: A start while the lines were off leaves a fill that is put right this long after, from this excess on.
ROUGH_TIME_S, ROUGH_STALE_S = 1.0, 0.003


@compiled
def _clear_blocked(table: Any, counters: Any) -> None:
    """Give up everything in a ring that overflowed: what follows in it does not join on."""
    written = ring_written(table[RING])
    counters[DROPPED_FRAMES] += written - ring_position(table[RING])
    counters[FLOOR] = written
    ring_release(table[RING], written)
    store_release(table[SHARED] + 8 * BLOCKED, 0)


@compiled
def _try_start(table: Any, counters: Any, memory: Any, now_s: float, frames: int) -> None:
    """Go from PRIMING to RUNNING if the ring holds the target."""
    ring = table[RING]
    if load_acquire(table[SHARED] + 8 * BLOCKED) != 0:
        _clear_blocked(table, counters)
        return
    written = ring_written(ring)
    half = ring_header(ring)[CAPACITY] // 2
    if written - ring_position(ring) > half:
        ring_release(ring, written - half)
    if memory[IN_RATE] <= 0.0 or memory[AGE_S] < OBSERVE_S or written < OBSERVE_S * memory[RATE_IN]:
        return
    time = ideal_time(counters, memory, now_s, counters[FRAMES_OUT] - frames)
    if last_needed(table, counters, time, frames) > written:  # late, or the line does not know of a loss yet
        time = written - memory[TARGET] - memory[IN_PEAK] - frames * counters[STEP] / ONE_FRAME
        memory[ROUGH_S] = ROUGH_TIME_S
    first = first_needed(table, time)
    if first < max(counters[FLOOR], written - half) or last_needed(table, counters, time, frames) > written:
        return
    seek(table, time)
    memory[GAIN] = 0.0
    memory[EXCESS_S] = 0.0
    counters[MODE] = RUNNING


@compiled
def _drop_stale(table: Any, counters: Any, memory: Any, samples: int, now_s: float, frames: int) -> None:
    """Jump to the target fill; the audio of the old place is kept for the crossfade."""
    fade, resampler = counters[FADE_FRAMES], table[RESAMPLER]
    old = next_time(table)
    time = ideal_time(counters, memory, now_s, counters[FRAMES_OUT] - frames)
    needed = fractional_needed(resampler, fade, counters[STEP])
    available = ring_fill(table[RING])
    if time <= old or needed > available or last_needed(table, counters, time, frames) > ring_written(table[RING]):
        return
    feed(table, counters, needed, available)
    fractional_produce(resampler, samples, fade, fade, counters[STEP])
    seek(table, time)
    counters[CROSSFADE_LEFT] = fade
    counters[DROPS] += 1
    counters[DROPPED_FRAMES] += np.int64(time - old)
    memory[FILL] = memory[TARGET]
    memory[EXCESS_S] = 0.0


@compiled
def _follow(table: Any, counters: Any, memory: Any, samples: int, now_s: float, frames: int) -> None:
    """Measure the fill, steer the step, drop what is stale."""
    memory[FILL] = (
        ideal_time(counters, memory, now_s, counters[FRAMES_OUT] - frames) - next_time(table) + memory[TARGET]
    )
    duration_s = frames / memory[RATE_OUT]
    excess_s = (memory[FILL] - memory[TARGET]) / memory[RATE_IN]
    memory[ROUGH_S] -= duration_s
    stale_s = ROUGH_STALE_S if memory[ROUGH_S] > 0.0 else max(STALE_S, 0.5 * memory[TARGET] / memory[RATE_IN])
    memory[EXCESS_S] = memory[EXCESS_S] + duration_s if excess_s > stale_s else 0.0
    if counters[CROSSFADE_LEFT] == 0 and (memory[EXCESS_S] > STALE_AFTER_S or excess_s > stale_s + STALE_AT_ONCE_S):
        _drop_stale(table, counters, memory, samples, now_s, frames)
        excess_s = (memory[FILL] - memory[TARGET]) / memory[RATE_IN]
    correction = steer(memory, STEERING, excess_s, duration_s)
    nominal = memory[RATE_IN] / memory[RATE_OUT]
    counters[STEP] = np.int64(nominal * (1.0 + correction) * ONE_FRAME)


@compiled
def _shape(counters: Any, memory: Any, samples: int, block_out: int, frames: int, fade_out_from: int) -> None:
    """Blend in what a drop left behind, then apply the fades of start and under-run."""
    fade, channels = counters[FADE_FRAMES], counters[CHANNELS]
    y = carray(as_pointer(block_out), (channels, frames), np.float32)
    old = carray(as_pointer(samples), (channels, fade), np.float32)
    gain, left, move = memory[GAIN], counters[CROSSFADE_LEFT], 1.0 / fade
    if gain >= 1.0 and left == 0 and fade_out_from >= frames:
        return
    for frame in range(frames):
        gain = min(1.0, gain + move) if frame < fade_out_from else max(0.0, gain - move)
        share = left * move
        for channel in range(channels):
            sample = y[channel, frame]
            if left > 0:
                sample += share * (old[channel, fade - left] - sample)
            y[channel, frame] = gain * sample
        left = max(0, left - 1)
    memory[GAIN] = gain
    counters[CROSSFADE_LEFT] = left


@compiled
def _render(table: Any, counters: Any, memory: Any, samples: int, block_out: int, frames: int) -> None:
    resampler = table[RESAMPLER]
    needed = fractional_needed(resampler, frames, counters[STEP])
    available = 0
    fade_out_from = 0
    if counters[MODE] == RUNNING:
        available = ring_fill(table[RING])
        fade_out_from = frames
        blocked = load_acquire(table[SHARED] + 8 * BLOCKED) != 0
        if needed > available or blocked:
            counters[UNDERRUNS] += needed > available
            counters[FLOOR] = ring_written(table[RING])  # what comes next may not join on
            counters[MIRRORED] = 0
            counters[MODE] = STARVING
            fade_out_from = 0 if blocked else fractional_possible(resampler, available, counters[STEP])
    feed(table, counters, needed, available)
    fractional_produce(resampler, block_out, frames, frames, counters[STEP])
    _shape(counters, memory, samples, block_out, frames, fade_out_from)
    if counters[MODE] == STARVING and memory[GAIN] <= 0.0:
        counters[MODE] = PRIMING
        counters[CROSSFADE_LEFT] = 0


@compiled
def bridge_pull_at(bridge: int, block_out: int, frames: int, now_ns: int) -> None:
    """Fill float32 (channels, frames) for the output device at a time. Thread: output callback."""
    if frames <= 0:
        return
    table = bridge_table(bridge)
    counters, memory, samples = state_arrays(table[PULL_STATE])
    now_s = now_ns * 1e-9
    take_input_line(table[SHARED], memory)
    line_observe(memory, now_s, counters[FRAMES_OUT], frames)
    counters[FRAMES_OUT] += frames
    aim(table, counters, memory)
    if counters[MODE] == PRIMING:
        _try_start(table, counters, memory, now_s, frames)
    if counters[MODE] == PRIMING:
        y = carray(as_pointer(block_out), (counters[CHANNELS] * frames,), np.float32)
        for index in range(y.size):
            y[index] = 0.0
        return
    if counters[MODE] == RUNNING:
        _follow(table, counters, memory, samples, now_s, frames)
    _render(table, counters, memory, samples, block_out, frames)


@compiled
def bridge_pull(bridge: int, block_out: int, frames: int) -> None:
    """Fill float32 (channels, frames) for the output device now. Thread: output callback."""
    bridge_pull_at(bridge, block_out, frames, clock_ns(bridge_table(bridge)[CLOCK]))


@compiled_entry
def run_bridge_pull_at(bridge: int, block_out: int, frames: int, now_ns: int) -> None:
    """Call `bridge_pull_at` from Python."""
    bridge_pull_at(bridge, block_out, frames, now_ns)
