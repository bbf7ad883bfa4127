"""The compiled loop that walks a plan's table. Layout of the table (int64): header, then lists, then steps."""

from __future__ import annotations

import numpy as np
from numba import carray

from vcfx_dsp.core.kernel import compiled, compiled_entry
from vcfx_dsp.core.native import as_pointer, call_node, flush_denormals, restore_float_mode

from .bridge import bridge_pull, bridge_push

#: Header: steps before and after the worker, their addresses, buffers, bridge, send and return lists, latency, and the
#: position in the engine's history up to which the plan has been warmed up (-1: not at all).
(
    BEFORE_COUNT, BEFORE_STEPS, AFTER_COUNT, AFTER_STEPS, CHANNELS, MAX_FRAMES, INPUT_BUFFER, OUTPUT_BUFFER, BRIDGE,
    SEND_COUNT, SENDS, RETURN_COUNT, RETURNS, PLAN_LATENCY, PRIMED_TO, HEADER_SIZE,
) = range(16)  # fmt: skip
#: A step: kernel address, state address, input buffer, output buffer.
STEP_SIZE = 4


@compiled
def _walk(steps: int, count: int, channels: int, frames: int) -> None:
    table = carray(as_pointer(steps), (count, STEP_SIZE), np.int64)
    for step in range(count):
        call_node(table[step, 0], table[step, 1], table[step, 2], table[step, 3], channels, frames)


@compiled
def walk_before(plan: int, frames: int) -> None:
    """Run what comes before the worker and hand it over. Thread: audio."""
    header = carray(as_pointer(plan), (HEADER_SIZE,), np.int64)
    _walk(header[BEFORE_STEPS], header[BEFORE_COUNT], header[CHANNELS], frames)
    if header[BRIDGE] != 0:
        sends = carray(as_pointer(header[SENDS]), (header[SEND_COUNT],), np.int64)
        bridge_push(header[BRIDGE], sends, header[CHANNELS], frames)


@compiled
def walk_after(plan: int, frames: int) -> None:
    """Collect what is due from the worker and run what comes after it. Thread: audio."""
    header = carray(as_pointer(plan), (HEADER_SIZE,), np.int64)
    if header[BRIDGE] != 0:
        returns = carray(as_pointer(header[RETURNS]), (header[RETURN_COUNT],), np.int64)
        bridge_pull(header[BRIDGE], returns, header[CHANNELS], frames)
    _walk(header[AFTER_STEPS], header[AFTER_COUNT], header[CHANNELS], frames)


@compiled_entry
def run_before(plan: int, frames: int) -> None:
    """`walk_before` from Python, denormals flushed as in the callback."""
    mode = flush_denormals()
    walk_before(plan, frames)
    restore_float_mode(mode)


@compiled_entry
def run_after(plan: int, frames: int) -> None:
    """`walk_after` from Python, denormals flushed as in the callback."""
    mode = flush_denormals()
    walk_after(plan, frames)
    restore_float_mode(mode)
