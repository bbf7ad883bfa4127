"""Change the plan while sound runs: warm the new one up on live input, crossfade, retire the old one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from vcfx.graph import walker
from vcfx.graph.bridge import HOP, IN_WRITE
from vcfx.graph.bridge import SIZE as BRIDGE_SIZE
from vcfx_dsp.core.crossfade import crossfade_into
from vcfx_dsp.core.kernel import compiled, compiled_entry
from vcfx_dsp.core.native import as_pointer, exchange, load_acquire, store_release, write_bytes

from .cells import CURRENT, FADE_LENGTH, FADE_POSITION, FADING, PENDING, PREROLL, RETIRED, WAKE_FD, WRITE


@compiled_entry
def swap_cell(address: int, value: int) -> int:
    """Exchange a cell's value atomically, from Python."""
    return int(exchange(address, value))


@compiled_entry
def read_cell(address: int) -> int:
    """Read a cell with acquire order, from Python."""
    return int(load_acquire(address))


@compiled
def take_pending(engine: int, cells: Any) -> None:
    """Start with a newly posted plan, unless a change is still going on. Thread: audio."""
    if cells[FADING] != 0 or load_acquire(engine + 8 * PENDING) == 0 or load_acquire(engine + 8 * RETIRED) != 0:
        return
    new = exchange(engine + 8 * PENDING, 0)
    if new == 0:
        return
    cells[FADING] = cells[CURRENT]
    cells[CURRENT] = new
    header = carray(as_pointer(new), (walker.HEADER_SIZE,), np.int64)
    cells[PREROLL] = header[walker.PLAN_LATENCY] if cells[FADING] != 0 else 0
    cells[FADE_POSITION] = 0


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
def render_plans(engine: int, cells: Any, source: Any, out: Any, frames: int) -> None:
    """Fill `out` from the present plan, or from two while one gives way to the other. Thread: audio."""
    take_pending(engine, cells)
    channels = source.shape[0]
    if cells[CURRENT] == 0:
        out[:, :] = np.float32(0.0)
        return
    newest = run_plan(cells[CURRENT], source, frames, cells[WAKE_FD], cells[WRITE])
    new = carray(as_pointer(newest), (channels, frames), np.float32)
    if cells[FADING] == 0:
        for channel in range(channels):
            for frame in range(frames):
                out[channel, frame] = new[channel, frame]
        return
    oldest = run_plan(cells[FADING], source, frames, cells[WAKE_FD], cells[WRITE])
    old = carray(as_pointer(oldest), (channels, frames), np.float32)
    if cells[PREROLL] > 0:
        cells[PREROLL] = max(0, cells[PREROLL] - frames)
        for channel in range(channels):
            for frame in range(frames):
                out[channel, frame] = old[channel, frame]
        return
    cells[FADE_POSITION] = crossfade_into(old, new, out, frames, cells[FADE_POSITION], cells[FADE_LENGTH])
    if cells[FADE_POSITION] >= cells[FADE_LENGTH]:
        store_release(engine + 8 * RETIRED, cells[FADING])
        cells[FADING] = 0
