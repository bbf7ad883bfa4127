"""Parameter changes on their way to the audio thread: (address, value) pairs, applied between two blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import carray

from vcfx.errors import VcfxError
from vcfx_dsp.core.kernel import compiled, compiled_entry
from vcfx_dsp.core.native import as_pointer, load_acquire, store_release

WRITTEN, READ, ADDRESSES, VALUES, BLOCK_OF, CAPACITY, HEADER_SIZE = range(7)
_CAPACITY = 4_096


class MessageQueue:
    """A single-producer single-consumer queue. Thread: `post` control, `apply_messages` audio."""

    def __init__(self) -> None:
        self._addresses: npt.NDArray[np.int64] = np.zeros(_CAPACITY, np.int64)
        self._values: npt.NDArray[np.float64] = np.zeros(_CAPACITY)
        self._block_of: npt.NDArray[np.int64] = np.zeros(_CAPACITY, np.int64)
        self._header: npt.NDArray[np.int64] = np.zeros(HEADER_SIZE, np.int64)
        self._header[ADDRESSES] = self._addresses.ctypes.data
        self._header[VALUES] = self._values.ctypes.data
        self._header[BLOCK_OF] = self._block_of.ctypes.data
        self._header[CAPACITY] = _CAPACITY

    @property
    def address(self) -> int:
        """Address of the header."""
        return int(self._header.ctypes.data)

    def post(self, writes: Sequence[tuple[int, float]]) -> int:
        """Queue writes that take effect together, between the same two blocks.

        Returns
        -------
        int
            A ticket for `applied_in`.

        Raises
        ------
        VcfxError
            If the queue is full, which means that no audio has run for a while.
        """
        written = int(self._header[WRITTEN])
        if written + len(writes) - int(self._header[READ]) > _CAPACITY:
            raise VcfxError(f"{_CAPACITY} parameter changes are waiting already; is the engine running?")
        for offset, (address, value) in enumerate(writes):
            slot = (written + offset) % _CAPACITY
            self._addresses[slot], self._values[slot] = address, value
        publish(self.address + 8 * WRITTEN, written + len(writes))
        return written + len(writes)

    def applied_in(self, ticket: int) -> int | None:
        """Return the number of the block that a ticket's last write took effect in, or None while it waits."""
        if int(self._header[READ]) < ticket or ticket == 0:
            return None
        return int(self._block_of[(ticket - 1) % _CAPACITY])


@compiled_entry
def publish(address: int, value: int) -> None:
    """Store an int64 with release order, from Python."""
    store_release(address, value)


@compiled
def apply_messages(queue: int, block_number: int) -> None:
    """Carry out all waiting writes. Thread: audio."""
    header = carray(as_pointer(queue), (HEADER_SIZE,), np.int64)
    written, read = load_acquire(queue + 8 * WRITTEN), header[READ]
    if written == read:
        return
    capacity = header[CAPACITY]
    addresses = carray(as_pointer(header[ADDRESSES]), (capacity,), np.int64)
    values = carray(as_pointer(header[VALUES]), (capacity,), np.float64)
    block_of = carray(as_pointer(header[BLOCK_OF]), (capacity,), np.int64)
    while read < written:
        slot = read % capacity
        target = carray(as_pointer(addresses[slot]), (1,), np.float64)
        target[0] = values[slot]
        block_of[slot] = block_number
        read += 1
    store_release(queue + 8 * READ, read)
