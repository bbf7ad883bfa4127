"""Change the plan while sound runs: warm the new one up, crossfade, retire the old one.

A plan without host nodes is warmed up on the input of the last moments before it is posted (`prime_plan`); what arrived
meanwhile it catches up with here, at most two blocks in one, and is heard from the same block on. A plan with host
nodes hears live input for as long as its own latency first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from vcfx.graph import walker
from vcfx.graph.bridge import HOP, IN_WRITE
from vcfx.graph.bridge import SIZE as BRIDGE_SIZE
from vcfx_dsp.core.crossfade import crossfade_into
from vcfx_dsp.core.kernel import compiled, compiled_entry
from vcfx_dsp.core.native import (
    as_pointer,
    exchange,
    flush_denormals,
    load_acquire,
    restore_float_mode,
    store_release,
    write_bytes,
)

from . import cells as c

_CATCH_UP_BLOCKS = 2


@compiled_entry
def swap_cell(address: int, value: int) -> int:
    """Exchange a cell's value atomically, from Python."""
    return int(exchange(address, value))


@compiled_entry
def read_cell(address: int) -> int:
    """Read a cell with acquire order, from Python."""
    return int(load_acquire(address))


@compiled
def keep_history(engine: int, cells: Any, source: Any, frames: int) -> None:
    """Append a block of input to the history. Thread: audio."""
    capacity, position = cells[c.HISTORY_FRAMES], cells[c.HEARD]
    history = carray(as_pointer(cells[c.HISTORY]), (cells[c.CHANNELS], capacity), np.float32)
    for channel in range(source.shape[0]):
        for frame in range(frames):
            history[channel, (position + frame) & (capacity - 1)] = source[channel, frame]
    store_release(engine + 8 * c.HEARD, position + frames)


@compiled
def feed_history(plan: int, cells: Any, position: int, frames: int) -> None:
    """Run a plan without host nodes over a stretch of the history, for its memory alone. Thread: audio or control."""
    header = carray(as_pointer(plan), (walker.HEADER_SIZE,), np.int64)
    channels, capacity = header[walker.CHANNELS], cells[c.HISTORY_FRAMES]
    history = carray(as_pointer(cells[c.HISTORY]), (channels, capacity), np.float32)
    block = carray(as_pointer(header[walker.INPUT_BUFFER]), (channels, frames), np.float32)
    for channel in range(channels):
        for frame in range(frames):
            block[channel, frame] = history[channel, (position + frame) & (capacity - 1)]
    walker.walk_before(plan, frames)
    walker.walk_after(plan, frames)


@compiled_entry
def prime_plan(plan: int, engine: int, start: int, end: int, block: int) -> None:
    """Run a plan that nobody hears yet over the history from `start` to `end`. Thread: control."""
    cells = carray(as_pointer(engine), (c.CELL_COUNT,), np.int64)
    mode = flush_denormals()
    position = start
    while position < end:
        part = min(block, end - position)
        feed_history(plan, cells, position, part)
        position += part
    restore_float_mode(mode)


@compiled
def take_pending(engine: int, cells: Any) -> None:
    """Start with a newly posted plan, unless a change is still going on. Thread: audio."""
    if cells[c.FADING] != 0 or load_acquire(engine + 8 * c.PENDING) == 0:
        return
    if load_acquire(engine + 8 * c.RETIRED) != 0:
        return
    new = exchange(engine + 8 * c.PENDING, 0)
    if new == 0:
        return
    cells[c.FADING] = cells[c.CURRENT]
    cells[c.CURRENT] = new
    header = carray(as_pointer(new), (walker.HEADER_SIZE,), np.int64)
    cells[c.PREROLL] = header[walker.PLAN_LATENCY]
    cells[c.CATCH_UP_AT] = -1
    primed_to = header[walker.PRIMED_TO]
    if primed_to >= 0 and cells[c.HEARD] - primed_to <= cells[c.HISTORY_FRAMES]:
        cells[c.PREROLL] = 0
        cells[c.CATCH_UP_AT] = primed_to
    cells[c.FADE_POSITION] = 0


@compiled
def is_caught_up(cells: Any, frames: int) -> bool:
    """Let the new plan hear what it has missed, a few blocks at a time; whether it is up to this one. Thread: audio."""
    before, position = cells[c.HEARD] - frames, cells[c.CATCH_UP_AT]
    if position < 0:
        return True
    left = min(before - position, _CATCH_UP_BLOCKS * frames)
    while left > 0:
        part = min(left, frames)
        feed_history(cells[c.CURRENT], cells, position, part)
        position += part
        left -= part
    cells[c.CATCH_UP_AT] = -1 if position == before else position
    return bool(position == before)


@compiled
def run_plan(plan: int, source: Any, frames: int, wake_fd: int, write_address: int) -> int:
    """Render one block of one plan; returns the address of its output. Thread: audio."""
    header = carray(as_pointer(plan), (walker.HEADER_SIZE,), np.int64)
    channels = header[walker.CHANNELS]
    block = carray(as_pointer(header[walker.INPUT_BUFFER]), (channels, frames), np.float32)
    for channel in range(channels):
        for frame in range(frames):
            block[channel, frame] = source[channel, frame]
    walker.walk_before(plan, frames)
    if header[walker.BRIDGE] != 0 and wake_fd >= 0:
        bridge = carray(as_pointer(header[walker.BRIDGE]), (BRIDGE_SIZE,), np.int64)
        written, hop = bridge[IN_WRITE], bridge[HOP]
        if written // hop != (written - frames) // hop:
            write_bytes(write_address, wake_fd, plan, 1)  # which byte does not matter: it wakes the worker
    walker.walk_after(plan, frames)
    return int(header[walker.OUTPUT_BUFFER])


@compiled
def _copy(block: Any, out: Any, frames: int) -> None:
    for channel in range(out.shape[0]):
        for frame in range(frames):
            out[channel, frame] = block[channel, frame]


@compiled
def render_plans(engine: int, cells: Any, source: Any, out: Any, frames: int) -> None:
    """Fill `out` from the present plan, or from two while one gives way to the other. Thread: audio."""
    take_pending(engine, cells)
    channels = source.shape[0]
    if cells[c.CURRENT] == 0:
        out[:, :] = np.float32(0.0)
        return
    if cells[c.FADING] == 0:
        newest = run_plan(cells[c.CURRENT], source, frames, cells[c.WAKE_FD], cells[c.WRITE])
        _copy(carray(as_pointer(newest), (channels, frames), np.float32), out, frames)
        return
    oldest = run_plan(cells[c.FADING], source, frames, cells[c.WAKE_FD], cells[c.WRITE])
    old = carray(as_pointer(oldest), (channels, frames), np.float32)
    if not is_caught_up(cells, frames):
        _copy(old, out, frames)
        return
    newest = run_plan(cells[c.CURRENT], source, frames, cells[c.WAKE_FD], cells[c.WRITE])
    new = carray(as_pointer(newest), (channels, frames), np.float32)
    if cells[c.PREROLL] > 0:
        cells[c.PREROLL] = max(0, cells[c.PREROLL] - frames)
        _copy(old, out, frames)
        return
    if cells[c.FADE_POSITION] == 0 and frames > 0:
        cells[c.CHANGE_BLOCK] = cells[c.BLOCKS]
        store_release(engine + 8 * c.CHANGES, cells[c.CHANGES] + 1)
    cells[c.FADE_POSITION] = crossfade_into(old, new, out, frames, cells[c.FADE_POSITION], cells[c.FADE_LENGTH])
    if cells[c.FADE_POSITION] >= cells[c.FADE_LENGTH]:
        store_release(engine + 8 * c.RETIRED, cells[c.FADING])
        cells[c.FADING] = 0
