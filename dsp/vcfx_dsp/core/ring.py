"""A ring of frames between two threads, one that writes and one that reads; nobody waits, nobody locks.

The header is one int64 array. The writer owns its first cache line, the reader the second, nobody the third. Positions
count frames since the ring was made and never wrap; the capacity is a power of two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from .kernel import compiled, compiled_entry
from .native import as_pointer, load_acquire, store_release

WRITTEN, OVERRUNS, REFUSED_FRAMES = 0, 1, 2
READ, UNDERRUNS, MISSING_FRAMES = 8, 9, 10
CAPACITY, CHANNELS, STORAGE = 16, 17, 18
HEADER_SIZE = 24


@compiled
def ring_header(address: int) -> Any:
    """Return the header as an array."""
    return carray(as_pointer(address), (HEADER_SIZE,), np.int64)


@compiled
def ring_written(address: int) -> int:
    """Return the position after the newest frame."""
    position: int = load_acquire(address + 8 * WRITTEN)
    return position


@compiled
def ring_position(address: int) -> int:
    """Return the position of the oldest unread frame."""
    position: int = load_acquire(address + 8 * READ)
    return position


@compiled
def ring_fill(address: int) -> int:
    """Return how many frames can be read. Exact on the reader's thread, a lower bound of it elsewhere."""
    position = ring_position(address)
    return max(0, ring_written(address) - position)


@compiled
def ring_room(address: int) -> int:
    """Return how many frames can be written. Exact on the writer's thread but for what is read meanwhile."""
    header = ring_header(address)
    room: int = header[CAPACITY] - (header[WRITTEN] - ring_position(address))
    return room


@compiled
def ring_write(address: int, block: int, frames: int) -> int:
    """Write float32 (channels, frames) as far as there is room; return the frames written. Writer's thread."""
    header = ring_header(address)
    capacity, position = header[CAPACITY], header[WRITTEN]
    count = min(frames, ring_room(address))
    mask = capacity - 1
    for channel in range(header[CHANNELS]):
        row = carray(as_pointer(header[STORAGE] + 4 * channel * capacity), (capacity,), np.float32)
        source = carray(as_pointer(block + 4 * channel * frames), (frames,), np.float32)
        for frame in range(count):
            row[(position + frame) & mask] = source[frame]
    if count < frames:
        header[OVERRUNS] += 1
        header[REFUSED_FRAMES] += frames - count
    store_release(address + 8 * WRITTEN, position + count)
    return count


@compiled
def ring_copy(address: int, position: int, target: int, stride: int, frames: int) -> None:
    """Copy `frames` from an absolute position to rows `stride` floats apart; the caller knows that they are there."""
    header = ring_header(address)
    capacity = header[CAPACITY]
    mask = capacity - 1
    for channel in range(header[CHANNELS]):
        row = carray(as_pointer(header[STORAGE] + 4 * channel * capacity), (capacity,), np.float32)
        y = carray(as_pointer(target + 4 * channel * stride), (frames,), np.float32)
        for frame in range(frames):
            y[frame] = row[(position + frame) & mask]


@compiled
def ring_release(address: int, position: int) -> None:
    """Give everything before `position` back to the writer. Reader's thread."""
    store_release(address + 8 * READ, position)


@compiled
def ring_read(address: int, block: int, frames: int) -> int:
    """Read into float32 (channels, frames) as far as there is audio; return the frames read. Reader's thread."""
    header = ring_header(address)
    count = min(frames, ring_fill(address))
    position = header[READ]
    ring_copy(address, position, block, frames, count)
    if count < frames:
        header[UNDERRUNS] += 1
        header[MISSING_FRAMES] += frames - count
    ring_release(address, position + count)
    return count


@compiled_entry
def run_ring_write(address: int, block: int, frames: int) -> int:
    """Call `ring_write` from Python."""
    return ring_write(address, block, frames)


@compiled_entry
def run_ring_read(address: int, block: int, frames: int) -> int:
    """Call `ring_read` from Python."""
    return ring_read(address, block, frames)


@compiled_entry
def run_ring_fill(address: int) -> int:
    """Call `ring_fill` from Python."""
    return ring_fill(address)
