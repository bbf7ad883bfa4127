from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.runtime import rtsys

from vcfx_dsp.core.kernel import compiled_entry
from vcfx_dsp.core.ring import ring_read, ring_write
from vcfx_dsp.errors import ParameterError
from vcfx_dsp.ring import Ring

Block = npt.NDArray[np.float32]
FULL_TURN = 1 << 24  # float32 counts exactly up to here


@compiled_entry
def write_counting(ring: int, block: Block, total: int, seed: int) -> None:
    """Write the numbers 0, 1, 2... on every channel, channel c plus c, in blocks of changing size."""
    channels, longest = block.shape
    done = 0
    state = seed
    while done < total:
        state = (state * 1103515245 + 12345) % 2147483648
        frames = min(1 + (state >> 16) % longest, total - done)
        for channel in range(channels):
            for frame in range(frames):
                block.reshape(-1)[channel * frames + frame] = (done + frame + channel) % FULL_TURN
        done += ring_write(ring, block.ctypes.data, frames)


@compiled_entry
def count_wrong(ring: int, block: Block, total: int, seed: int) -> int:
    """Read `total` frames in blocks of changing size; return how many samples are not the expected number."""
    channels, longest = block.shape
    done = wrong = 0
    state = seed
    while done < total:
        state = (state * 1103515245 + 12345) % 2147483648
        frames = min(1 + (state >> 16) % longest, total - done)
        count = ring_read(ring, block.ctypes.data, frames)
        for channel in range(channels):
            for frame in range(count):
                wrong += block.reshape(-1)[channel * frames + frame] != (done + frame + channel) % FULL_TURN
        done += count
    return wrong


def numbered(channels: int, first: int, frames: int) -> Block:
    return np.arange(first, first + frames, dtype=np.float32) + 1000.0 * np.arange(channels, dtype=np.float32)[:, None]


@given(moves=st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=60), channels=st.integers(1, 3))
def test_behaves_like_a_bounded_queue(moves: list[tuple[bool, int]], channels: int) -> None:
    ring = Ring(channels, 32)
    queue: deque[int] = deque()
    sent = refused = missing = 0
    for writes, frames in moves:
        if writes:
            block = numbered(channels, sent, frames)
            count = min(frames, 32 - len(queue))
            assert ring.write(block) == count
            queue.extend(range(sent, sent + count))
            sent, refused = sent + count, refused + frames - count
        else:
            asked = min(frames, 32)
            count = min(asked, len(queue))
            expected = numbered(channels, queue[0], count) if count else np.zeros((channels, 0), np.float32)
            assert np.array_equal(ring.read(frames), expected)
            missing += asked - count
            for _ in range(count):
                queue.popleft()
        assert ring.fill == len(queue)
    assert (ring.refused_frames, ring.missing_frames) == (refused, missing)


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize(("channels", "capacity", "total"), [(1, 64, 500_000), (2, 1000, 2_000_000), (3, 7, 100_000)])
def test_two_threads_lose_and_tear_nothing(channels: int, capacity: int, total: int) -> None:
    ring = Ring(channels, capacity)
    longest = max(1, ring.capacity_frames * 3 // 4)
    source, target = np.zeros((channels, longest), np.float32), np.zeros((channels, longest), np.float32)
    write_counting(Ring(channels, 4).address, source[:, :1].copy(), 0, 1)
    count_wrong(Ring(channels, 4).address, target[:, :1].copy(), 0, 1)
    wrong: list[int] = []
    threads = [
        in_thread(lambda: write_counting(ring.address, source, total, 1)),
        in_thread(lambda: wrong.append(count_wrong(ring.address, target, total, 2))),
    ]
    for thread in threads:
        thread.join(timeout=120.0)
    assert wrong == [0]
    assert ring.fill == 0


def test_counts_faults() -> None:
    ring = Ring(2, 100)
    assert ring.capacity_frames == 128
    assert ring.write(np.ones((2, 200), np.float32)) == 128
    assert (ring.overruns, ring.refused_frames) == (1, 72)
    assert ring.read(128).shape == (2, 128)
    assert ring.read(5).shape == (2, 0)
    assert (ring.underruns, ring.missing_frames) == (1, 5)
    ring.reset()
    assert (ring.overruns, ring.refused_frames, ring.underruns, ring.missing_frames, ring.fill) == (0, 0, 0, 0, 0)


def test_allocates_nothing() -> None:
    ring = Ring(2, 256)
    block = np.ones((2, 100), np.float32)
    ring.write(block)
    before = rtsys.get_allocation_stats()
    for _ in range(20):
        ring.write(block)
    assert rtsys.get_allocation_stats() == before


@pytest.mark.parametrize("capacity", [0, -1, 1 << 27])
def test_refuses_an_absurd_capacity(capacity: int) -> None:
    with pytest.raises(ParameterError, match=f"capacity_frames is {capacity}; allowed: 1 to"):
        Ring(1, capacity)
