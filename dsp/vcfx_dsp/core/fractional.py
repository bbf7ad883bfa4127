"""The variable-ratio resampler: cubic polynomials in place of phases, a step that may change at every call.

The step is the input frames per output frame in units of 2^-40, so that the frames needed for a call are counted
exactly and a constant step gives the same bits for any partition. Frames are fed first, then produced.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from .kernel import compiled, compiled_entry
from .native import as_pointer
from .taps import blend_taps, inner_product, move_frames

FRACTION_BITS = 40
ONE_FRAME = 1 << FRACTION_BITS
#: Places in ``counters``. FILLED is the frames in the buffer, whose first is the first that the next output frame
#: looks at; FRACTION is that output frame's time past frame ``half_width - 1`` of the buffer.
TAPS, PIECES, CHANNELS, STRIDE, FILLED, FRACTION, TABLE_SIZE = range(7)


@compiled
def fractional_parts(state: int) -> Any:
    """Return the counters, and the address of the samples."""
    table = carray(as_pointer(state), (8,), np.int64)
    return carray(as_pointer(table[2]), (table[3],), np.int64), table[6]


@compiled
def fractional_needed(state: int, frames_out: int, step: int) -> int:
    """Return how many input frames must be fed before `frames_out` output frames can be produced."""
    counters, _ = fractional_parts(state)
    if frames_out <= 0:
        return 0
    last = (counters[FRACTION] + (frames_out - 1) * step) >> FRACTION_BITS
    missing: int = last + counters[TAPS] - counters[FILLED]
    return max(0, missing)


@compiled
def fractional_possible(state: int, frames_in: int, step: int) -> int:
    """Return how many output frames can be produced after feeding `frames_in` more."""
    counters, _ = fractional_parts(state)
    room = counters[FILLED] + frames_in - counters[TAPS] + 1
    possible: int = ((room << FRACTION_BITS) - counters[FRACTION] + step - 1) // step
    return max(0, possible)


@compiled
def fractional_input(state: int) -> Any:
    """Return the address where the next input frame of channel 0 goes, and the floats from channel to channel."""
    counters, samples = fractional_parts(state)
    first = counters[TABLE_SIZE] + counters[TAPS] + counters[FILLED]
    return samples + 4 * first, counters[STRIDE]


@compiled
def fractional_fed(state: int, frames: int) -> None:
    """Count `frames` that were written at `fractional_input`."""
    counters, _ = fractional_parts(state)
    counters[FILLED] += frames


@compiled
def fractional_feed(state: int, block_in: int, frames: int) -> None:
    """Take float32 (channels, frames); no more than `fractional_needed` asks for."""
    counters, _ = fractional_parts(state)
    target, stride = fractional_input(state)
    move_frames(block_in, frames, target, stride, counters[CHANNELS], frames)
    counters[FILLED] += frames


@compiled
def fractional_seek(state: int, fraction: int) -> None:
    """Empty the buffer; the next output frame lies `fraction` (2^-40) past the half_width-th frame to be fed."""
    counters, _ = fractional_parts(state)
    counters[FILLED] = 0
    counters[FRACTION] = fraction


@compiled
def fractional_produce(state: int, block_out: int, stride_out: int, frames: int, step: int) -> None:
    """Write `frames` output frames, channel rows `stride_out` floats apart; the input must have been fed."""
    counters, samples = fractional_parts(state)
    taps, channels, stride = counters[TAPS], counters[CHANNELS], counters[STRIDE]
    row = samples + 4 * counters[TABLE_SIZE]
    buffer = row + 4 * taps
    position = counters[FRACTION]
    for frame in range(frames):
        fraction = position & (ONE_FRAME - 1)
        start = position >> FRACTION_BITS
        scaled = fraction * counters[PIECES]
        piece = scaled >> FRACTION_BITS
        t = (scaled & (ONE_FRAME - 1)) * (1.0 / ONE_FRAME)
        blend_taps(samples + 16 * piece * taps, t, row, taps)
        for channel in range(channels):
            y = carray(as_pointer(block_out + 4 * channel * stride_out), (frames,), np.float32)
            y[frame] = inner_product(row, buffer + 4 * (channel * stride + start), taps)
        position += step
    used = min(position >> FRACTION_BITS, counters[FILLED])
    counters[FILLED] -= used
    counters[FRACTION] = position - (used << FRACTION_BITS)
    move_frames(buffer + 4 * used, stride, buffer, stride, channels, counters[FILLED])


@compiled_entry
def run_fractional_needed(state: int, frames_out: int, step: int) -> int:
    """Call `fractional_needed` from Python."""
    return fractional_needed(state, frames_out, step)


@compiled_entry
def run_fractional(state: int, block_in: int, frames_in: int, block_out: int, frames_out: int, step: int) -> None:
    """Feed and produce from Python."""
    fractional_feed(state, block_in, frames_in)
    fractional_produce(state, block_out, frames_out, frames_out, step)
