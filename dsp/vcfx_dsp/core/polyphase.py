"""The streaming resampler between two whole-numbered rates.

Output frame n is the filtered input at time ``(n - delay) * rate_in / rate_out``, in input frames. It is given out
as soon as input frame ``floor(n * rate_in / rate_out)`` has come in, so k input frames give
``ceil(k * rate_out / rate_in)`` output frames in all, however they are cut into blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from .kernel import compiled, compiled_entry
from .native import as_pointer
from .taps import blend_taps, inner_product, move_frames

#: Places in ``counters``. UP / DOWN is the ratio of rates in lowest terms. AHEAD is, in 1 / UP input frames, how far
#: the next output frame lies after the input received. PIECES is 0 where the table has a row for every phase.
UP, DOWN, HALF_WIDTH, PIECES, CHANNELS, HISTORY, STRIDE, AHEAD, DELAY, TABLE_SIZE = range(10)


@compiled
def _counters(state: int) -> Any:
    table = carray(as_pointer(state), (8,), np.int64)
    return carray(as_pointer(table[2]), (table[3],), np.int64), table[6]


@compiled
def resampled_frames(state: int, frames: int) -> int:
    """Return how many output frames the next `frames` input frames will give."""
    counters, _ = _counters(state)
    ready: int = frames * counters[UP] - counters[AHEAD]
    down: int = counters[DOWN]
    return max(0, (ready + down - 1) // down)


@compiled
def _row(counters: Any, table: int, phase: int) -> Any:
    taps = 2 * counters[HALF_WIDTH]
    if counters[PIECES] == 0:
        return table + 4 * phase * taps
    scaled = phase * counters[PIECES]
    piece = scaled // counters[UP]
    t = (scaled - piece * counters[UP]) / counters[UP]
    row = table + 4 * counters[TABLE_SIZE]
    blend_taps(table + 16 * piece * taps, t, row, taps)
    return row


@compiled
def _produce(counters: Any, table: int, buffer: int, block_out: int, received: int, count: int) -> None:
    up, taps, channels = counters[UP], 2 * counters[HALF_WIDTH], counters[CHANNELS]
    stride, whole = counters[STRIDE], counters[DOWN] // counters[UP]
    rest = counters[DOWN] - whole * up
    time = counters[AHEAD] - counters[DELAY] * counters[DOWN]
    frame = time // up
    phase = time - frame * up
    start = counters[HISTORY] + received + frame - counters[HALF_WIDTH] + 1
    for index in range(count):
        row = _row(counters, table, phase)
        for channel in range(channels):
            y = carray(as_pointer(block_out + 4 * channel * count), (count,), np.float32)
            y[index] = inner_product(row, buffer + 4 * (channel * stride + start), taps)
        phase += rest
        start += whole
        if phase >= up:
            phase -= up
            start += 1


@compiled
def resample(state: int, block_in: int, block_out: int, frames: int) -> int:
    """Take `frames` input frames; write and return the output frames that follow from them.

    Parameters
    ----------
    state
        Address of the table of a `resampler.Resampler`.
    block_in
        Address of float32 (channels, frames).
    block_out
        Address with room for float32 (channels, max_out_frames); filled as C-contiguous (channels, returned count).
    frames
        0 to max_frames.
    """
    counters, table = _counters(state)
    channels, history, stride = counters[CHANNELS], counters[HISTORY], counters[STRIDE]
    count = resampled_frames(state, frames)
    counters[AHEAD] -= frames * counters[UP]
    if counters[HALF_WIDTH] == 0:
        move_frames(block_in, frames, block_out, count, channels, count)
    else:
        buffer = table + 4 * (counters[TABLE_SIZE] + 2 * counters[HALF_WIDTH])
        move_frames(block_in, frames, buffer + 4 * history, stride, channels, frames)
        _produce(counters, table, buffer, block_out, frames, count)
        move_frames(buffer + 4 * frames, stride, buffer, stride, channels, history)
    counters[AHEAD] += count * counters[DOWN]
    return count


@compiled_entry
def run_resample(state: int, block_in: int, block_out: int, frames: int) -> int:
    """Call `resample` from Python."""
    return resample(state, block_in, block_out, frames)
