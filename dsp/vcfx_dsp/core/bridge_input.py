"""The input device's half of a clock bridge: write the ring, learn the clock, publish it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from .kernel import compiled, compiled_entry
from .line import COUNT, RATE, line_observe, line_peak
from .native import as_pointer, clock_ns, load_acquire, store_release
from .ring import ring_room, ring_write, ring_written

#: Places in a bridge's int64 table: addresses of its parts.
RING, RESAMPLER, PUSH_STATE, PULL_STATE, SHARED, CLOCK = range(6)
BRIDGE_SIZE = 6
#: Places in the int64 array that both threads see. SEQUENCE is odd while the next four are being written.
SEQUENCE, SHARED_TIME_NS, SHARED_COUNT, SHARED_RATE, SHARED_PEAK, BLOCKED = range(6)
SHARED_SIZE = 6
COUNT_SCALE, RATE_SCALE = 65536.0, 1048576.0
#: Places in the push side's counters.
OVERFLOWS, REFUSED_FRAMES = range(2)


@compiled
def bridge_table(bridge: int) -> Any:
    """Return the table of addresses."""
    return carray(as_pointer(bridge), (BRIDGE_SIZE,), np.int64)


@compiled
def state_arrays(state: int) -> Any:
    """Return counters, memory and the address of the samples of a `State`."""
    table = carray(as_pointer(state), (8,), np.int64)
    counters = carray(as_pointer(table[2]), (table[3],), np.int64)
    memory = carray(as_pointer(table[4]), (table[5],), np.float64)
    return counters, memory, table[6]


@compiled
def _publish(shared: int, line: Any, now_ns: int) -> None:
    sequence = load_acquire(shared + 8 * SEQUENCE)
    store_release(shared + 8 * SEQUENCE, sequence + 1)
    store_release(shared + 8 * SHARED_TIME_NS, now_ns)
    store_release(shared + 8 * SHARED_COUNT, np.int64(line[COUNT] * COUNT_SCALE))
    store_release(shared + 8 * SHARED_RATE, np.int64(line[RATE] * RATE_SCALE))
    store_release(shared + 8 * SHARED_PEAK, np.int64(line_peak(line) * COUNT_SCALE))
    store_release(shared + 8 * SEQUENCE, sequence + 2)


@compiled
def bridge_push_at(bridge: int, block_in: int, frames: int, now_ns: int) -> None:
    """Hand over float32 (channels, frames) that the input device delivered at a time. Thread: input callback."""
    if frames <= 0:
        return
    table = bridge_table(bridge)
    counters, line, _ = state_arrays(table[PUSH_STATE])
    ring, shared = table[RING], table[SHARED]
    if load_acquire(shared + 8 * BLOCKED) != 0:
        counters[REFUSED_FRAMES] += frames
        return
    if ring_room(ring) < frames:
        counters[OVERFLOWS] += 1
        counters[REFUSED_FRAMES] += frames
        store_release(shared + 8 * BLOCKED, 1)
        return
    before = ring_written(ring)
    ring_write(ring, block_in, frames)
    line_observe(line, now_ns * 1e-9, before, frames)
    _publish(shared, line, now_ns)


@compiled
def bridge_push(bridge: int, block_in: int, frames: int) -> None:
    """Hand over float32 (channels, frames) that the input device delivers now. Thread: input callback."""
    bridge_push_at(bridge, block_in, frames, clock_ns(bridge_table(bridge)[CLOCK]))


@compiled_entry
def run_clock_ns(function: int) -> int:
    """Read the clock that `bridge_push` and `bridge_pull` read, from Python."""
    now_ns: int = clock_ns(function)
    return now_ns


@compiled_entry
def run_bridge_push_at(bridge: int, block_in: int, frames: int, now_ns: int) -> None:
    """Call `bridge_push_at` from Python."""
    bridge_push_at(bridge, block_in, frames, now_ns)
