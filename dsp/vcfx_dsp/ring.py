"""A lock-free ring of audio frames between one writing and one reading thread."""

from __future__ import annotations

import numpy as np

from .core.ring import (
    CAPACITY,
    CHANNELS,
    HEADER_SIZE,
    MISSING_FRAMES,
    OVERRUNS,
    READ,
    REFUSED_FRAMES,
    STORAGE,
    UNDERRUNS,
    WRITTEN,
    run_ring_fill,
    run_ring_read,
    run_ring_write,
)
from .limits import MAX_BLOCK_FRAMES, check_block, check_channels, check_count
from .node import Block

MAX_CAPACITY_FRAMES = 1 << 26
_CACHE_LINE_BYTES = 64


class Ring:
    """Frames in order from one thread to another; compiled code uses `core.ring` with `address`.

    Parameters
    ----------
    channels
        1 to 32.
    capacity_frames
        The least room, 1 to 2^26; rounded up to a power of two.
    """

    def __init__(self, channels: int, capacity_frames: int) -> None:
        self.channels = check_channels(channels)
        least = check_count("capacity_frames", capacity_frames, MAX_CAPACITY_FRAMES)
        self.capacity_frames = 1 << (least - 1).bit_length()
        self._storage = np.empty((self.channels, self.capacity_frames), np.float32)
        self._storage[:] = 0.0  # touches every page, so that the first writes do not
        whole = np.zeros(HEADER_SIZE + _CACHE_LINE_BYTES // 8, np.int64)
        first = -whole.ctypes.data % _CACHE_LINE_BYTES // 8
        self._header = whole[first : first + HEADER_SIZE]
        self._header[CAPACITY] = self.capacity_frames
        self._header[CHANNELS] = self.channels
        self._header[STORAGE] = self._storage.ctypes.data

    @property
    def address(self) -> int:
        """First argument of the functions of `core.ring`."""
        return int(self._header.ctypes.data)

    @property
    def fill(self) -> int:
        """Frames that can be read now. Thread: any."""
        return int(run_ring_fill(self.address))

    @property
    def overruns(self) -> int:
        """Writes that found too little room. Thread: any."""
        return int(self._header[OVERRUNS])

    @property
    def refused_frames(self) -> int:
        """Frames that those writes left out. Thread: any."""
        return int(self._header[REFUSED_FRAMES])

    @property
    def underruns(self) -> int:
        """Reads that found too few frames. Thread: any."""
        return int(self._header[UNDERRUNS])

    @property
    def missing_frames(self) -> int:
        """Frames that those reads lacked. Thread: any."""
        return int(self._header[MISSING_FRAMES])

    def write(self, block: Block) -> int:
        """Append float32 (channels, frames) as far as there is room; return the frames written. Thread: writer."""
        frames = check_block(block, self.channels, MAX_BLOCK_FRAMES)
        return int(run_ring_write(self.address, block.ctypes.data, frames))

    def read(self, frames: int) -> Block:
        """Return up to `frames` frames, as many as there are. Thread: reader."""
        block = np.zeros((self.channels, min(frames, self.capacity_frames)), np.float32)
        count = int(run_ring_read(self.address, block.ctypes.data, block.shape[1]))
        return np.ascontiguousarray(block[:, :count])

    def reset(self) -> None:
        """Empty the ring and clear its counters, while neither thread uses it. Thread: control."""
        self._header[[WRITTEN, READ, OVERRUNS, REFUSED_FRAMES, UNDERRUNS, MISSING_FRAMES]] = 0
        self._storage[:] = 0.0
