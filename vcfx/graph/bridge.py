"""Where callback and worker meet: two rings indexed by absolute stream position, and what is heard when one is late.

The callback pushes what it has and pulls what is due, `LATENCY` frames older. Positions, not fill levels, decide:
output that comes too late is never played, so the delay cannot grow, and after a stall the worker goes on with the
newest hop. What is missing is concealed: what was heard last, played backwards while it fades (no seam, no click), then
silence. The unconverted voice is heard only under the policy `DRY`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import carray

from vcfx_dsp.core.kernel import compiled, compiled_entry
from vcfx_dsp.core.native import CLOCK_ADDRESS, as_pointer, clock_ns, load_acquire, store_release

(
    IN_WRITE, OUT_WRITE, VALID_FROM, CAPACITY, IN_ROWS, OUT_ROWS, IN_DATA, OUT_DATA, LATENCY, HOP, BLOCK, POLICY,
    DRY_DELAY, FADE_FRAMES, REPEAT_FRAMES, WAIT_NS, CLOCK, LATE_BLOCKS, CONCEALED_FRAMES, MISSING_FOR, ANCHOR,
    GAIN_STEPS, DROPPED_FRAMES, HEARD, HEARD_CAPACITY, SIZE,
) = range(26)  # fmt: skip
CONCEAL, SILENCE, DRY = range(3)
POLICIES = {"conceal": CONCEAL, "silence": SILENCE, "dry": DRY}
FADE_MS = 5.0
#: How long what was heard last goes on in a gap.
REPEAT_MS = {CONCEAL: 30.0, SILENCE: 3.0, DRY: 5.0}
_KEPT_S = 1.0  # how much sound the rings hold; a worker that is later than this has nothing to save


def worker_latency(hop: int, block: int, asynchronous: bool) -> int:
    """Frames from push to pull for hops of `hop` under blocks of `block`.

    A worker on its own thread works under blocks of constant length: rebuffering costs ``hop - gcd(block, hop)``,
    and it gets as many blocks more as a hop is long (at least one), so that it may use the whole hop's time.
    A worker that runs between push and pull has blocks of any length to bear: ``hop - 1``.
    """
    if not asynchronous:
        return hop - 1
    return hop - int(np.gcd(block, hop)) + -(-hop // block) * block


class Bridge:
    """The memory of one crossing: header and two rings. Thread: made by control; see the compiled functions."""

    def __init__(
        self, sample_rate: int, in_rows: int, out_rows: int, hop: int, block: int, latency: int, policy: int
    ) -> None:
        capacity = 1 << int(np.ceil(np.log2(_KEPT_S * sample_rate + 4 * (hop + block + latency))))
        self.incoming: npt.NDArray[np.float32] = np.zeros((in_rows, capacity), np.float32)
        self.outgoing: npt.NDArray[np.float32] = np.zeros((out_rows, capacity), np.float32)
        repeat = max(1, int(REPEAT_MS[policy] * 1e-3 * sample_rate))
        #: The newest sound as it was heard, stand-ins included: a gap soon after another begins where that one left.
        heard = 1 << int(np.ceil(np.log2(2 * repeat + block)))
        self.heard: npt.NDArray[np.float32] = np.zeros((out_rows, heard), np.float32)
        self.header: npt.NDArray[np.int64] = np.zeros(SIZE, np.int64)
        fields = {
            HEARD: self.heard.ctypes.data,
            HEARD_CAPACITY: heard,
            CAPACITY: capacity,
            IN_ROWS: in_rows,
            OUT_ROWS: out_rows,
            IN_DATA: self.incoming.ctypes.data,
            OUT_DATA: self.outgoing.ctypes.data,
            LATENCY: latency,
            HOP: hop,
            BLOCK: block,
            POLICY: policy,
            FADE_FRAMES: max(1, int(FADE_MS * 1e-3 * sample_rate)),
            REPEAT_FRAMES: repeat,
            CLOCK: CLOCK_ADDRESS,
        }
        for field, value in fields.items():
            self.header[field] = value
        self.reset()

    @property
    def address(self) -> int:
        """Address of the header."""
        return int(self.header.ctypes.data)

    def reset(self) -> None:
        """Forget all sound; positions start at 0 again. Thread: control, while nothing runs."""
        self.incoming[:] = 0
        self.outgoing[:] = 0
        self.heard[:] = 0
        for field in (IN_WRITE, OUT_WRITE, LATE_BLOCKS, CONCEALED_FRAMES, MISSING_FOR, ANCHOR, DROPPED_FRAMES):
            self.header[field] = 0
        self.header[VALID_FROM] = -(1 << 40)
        self.header[GAIN_STEPS] = self.header[FADE_FRAMES]


@compiled
def bridge_push(bridge: int, blocks: Any, channels: int, frames: int) -> None:
    """Append the blocks at the addresses `blocks`, each (channels, frames). Thread: audio."""
    header = carray(as_pointer(bridge), (SIZE,), np.int64)
    capacity = header[CAPACITY]
    data = carray(as_pointer(header[IN_DATA]), (header[IN_ROWS], capacity), np.float32)
    start = header[IN_WRITE]
    for index in range(blocks.size):
        block = carray(as_pointer(blocks[index]), (channels, frames), np.float32)
        for channel in range(channels):
            row = index * channels + channel
            for frame in range(frames):
                data[row, (start + frame) & (capacity - 1)] = block[channel, frame]
    store_release(bridge + 8 * IN_WRITE, start + frames)


@compiled
def _due(header: Any, bridge: int, start: int, frames: int) -> bool:
    """Whether the worker has delivered [start, start + frames); waits for it up to WAIT_NS (file-like use only)."""
    valid_from, written = load_acquire(bridge + 8 * VALID_FROM), load_acquire(bridge + 8 * OUT_WRITE)
    ready: bool = start >= valid_from and start + frames <= written
    if ready or header[WAIT_NS] == 0:
        return ready
    limit_ns = clock_ns(header[CLOCK]) + header[WAIT_NS]
    while clock_ns(header[CLOCK]) < limit_ns:
        if start + frames <= load_acquire(bridge + 8 * OUT_WRITE):
            return True
    return False


@compiled
def _substitute(header: Any, incoming: Any, heard: Any, row: int, position: int, missing_for: int) -> float:
    """Return the sample that stands in for a missing one: the past mirrored and fading, plus dry if allowed."""
    mask = header[CAPACITY] - 1
    value = 0.0
    if missing_for < header[REPEAT_FRAMES]:
        fade = 1.0 - missing_for / header[REPEAT_FRAMES]
        value = fade * heard[row, (header[ANCHOR] - 1 - missing_for) & (header[HEARD_CAPACITY] - 1)]
    if header[POLICY] == DRY:
        rise = min(1.0, missing_for / header[REPEAT_FRAMES])
        source = min(row, header[IN_ROWS] - 1)
        value += rise * incoming[source, (position - header[DRY_DELAY]) & mask]
    return value


@compiled
def bridge_pull(bridge: int, blocks: Any, channels: int, frames: int) -> None:
    """Fill the blocks at the addresses `blocks` with what is due now; call after `bridge_push`. Thread: audio."""
    header = carray(as_pointer(bridge), (SIZE,), np.int64)
    mask = header[CAPACITY] - 1
    incoming = carray(as_pointer(header[IN_DATA]), (header[IN_ROWS], header[CAPACITY]), np.float32)
    outgoing = carray(as_pointer(header[OUT_DATA]), (header[OUT_ROWS], header[CAPACITY]), np.float32)
    heard = carray(as_pointer(header[HEARD]), (header[OUT_ROWS], header[HEARD_CAPACITY]), np.float32)
    start = header[IN_WRITE] - frames - header[LATENCY]
    good = frames == 0 or _due(header, bridge, start, frames)
    if not good:
        if header[GAIN_STEPS] > 0:
            header[ANCHOR], header[MISSING_FOR], header[GAIN_STEPS] = start, 0, 0
        header[LATE_BLOCKS] += 1
        header[CONCEALED_FRAMES] += frames
    steps, missing_for, fade = header[GAIN_STEPS], header[MISSING_FOR], header[FADE_FRAMES]
    for index in range(blocks.size):
        block = carray(as_pointer(blocks[index]), (channels, frames), np.float32)
        for channel in range(channels):
            row = index * channels + channel
            steps, missing_for = header[GAIN_STEPS], header[MISSING_FOR]
            for frame in range(frames):
                position = start + frame
                value = outgoing[row, position & mask]
                if not good or steps < fade:
                    stand_in = _substitute(header, incoming, heard, row, position, missing_for)
                    missing_for += 1
                    if good:
                        steps += 1
                        gain = steps / fade
                        value = np.float32(gain * value + (1.0 - gain) * stand_in)
                    else:
                        value = np.float32(stand_in)
                block[channel, frame] = heard[row, position & (header[HEARD_CAPACITY] - 1)] = value
    header[GAIN_STEPS], header[MISSING_FOR] = steps, missing_for


@compiled_entry
def next_hop(bridge: int, done: int) -> int:
    """Return the position of the hop to work on next, or -1 if there is none yet. Thread: worker.

    A hop whose output nobody can hear any more is skipped, with all before the newest.
    """
    header = carray(as_pointer(bridge), (SIZE,), np.int64)
    written = load_acquire(bridge + 8 * IN_WRITE)
    hop = header[HOP]
    if written - done < hop:
        return -1
    if done + hop <= written - header[LATENCY] - header[BLOCK]:
        newest = (written // hop - 1) * hop
        header[DROPPED_FRAMES] += newest - done
        return int(newest)
    return done


@compiled_entry
def take_hop(bridge: int, position: int, blocks: npt.NDArray[np.float32]) -> None:
    """Copy the input at `position` into blocks (in_rows, hop). Thread: worker."""
    header = carray(as_pointer(bridge), (SIZE,), np.int64)
    capacity = header[CAPACITY]
    data = carray(as_pointer(header[IN_DATA]), (header[IN_ROWS], capacity), np.float32)
    for row in range(blocks.shape[0]):
        for frame in range(header[HOP]):
            blocks[row, frame] = data[row, (position + frame) & (capacity - 1)]


@compiled_entry
def give_hop(bridge: int, position: int, blocks: npt.NDArray[np.float32]) -> None:
    """Publish blocks (out_rows, hop) as the output for `position`. Thread: worker."""
    header = carray(as_pointer(bridge), (SIZE,), np.int64)
    capacity = header[CAPACITY]
    data = carray(as_pointer(header[OUT_DATA]), (header[OUT_ROWS], capacity), np.float32)
    if position != header[OUT_WRITE]:  # something was skipped: what lies between is not sound
        store_release(bridge + 8 * VALID_FROM, position)
    for row in range(blocks.shape[0]):
        for frame in range(header[HOP]):
            data[row, (position + frame) & (capacity - 1)] = blocks[row, frame]
    store_release(bridge + 8 * OUT_WRITE, position + header[HOP])
