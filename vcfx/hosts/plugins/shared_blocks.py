"""Memory that two processes share: a ring of blocks in each direction. It has no name and so leaves nothing behind."""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import uuid
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

_BYTES: Final = 4
#: How much sound waits for a plugin that is late, in seconds; one that is later is taken to have stalled.
KEPT_S: Final = 0.5
_FEWEST, _MOST = 2, 512


@dataclass(frozen=True, slots=True)
class RingShape:
    """Blocks of (channels, frames), so many of them in each direction."""

    slots: int
    channels: int
    frames: int

    @classmethod
    def of(cls, sample_rate: int, channels: int, frames: int) -> Self:
        """Return a ring for half a second of sound."""
        slots = int(KEPT_S * sample_rate / frames) + _FEWEST
        return cls(min(slots, _MOST), channels, frames)

    @property
    def size(self) -> int:
        """Bytes for both directions."""
        return 2 * self.slots * self.channels * self.frames * _BYTES


class SharedBlocks:
    """Two rings over a shared mapping.

    The memory is a file descriptor without a name where the system has such (it goes when both processes have gone,
    however they went); on Windows a mapping that lives as long as someone has it open.
    """

    def __init__(self, shape: RingShape, key: int | str) -> None:
        self.shape, self.key = shape, key
        # a bare -1 would be anonymous memory of this process alone
        mapping: Any = mmap.mmap(key, shape.size) if isinstance(key, int) else _named(key, shape.size)
        rows: npt.NDArray[np.float32] = np.frombuffer(mapping, np.float32)
        both = rows.reshape(2, shape.slots, shape.channels, shape.frames)
        self.to_plugin, self.from_plugin = both[0], both[1]

    @classmethod
    def create(cls, shape: RingShape) -> Self:
        """Make the memory; `key` is what the other process opens it with."""
        if sys.platform == "win32":
            return cls(shape, f"vcfx-{uuid.uuid4().hex}")
        descriptor = _nameless_file()
        os.ftruncate(descriptor, shape.size)
        return cls(shape, descriptor)

    def close_key(self) -> None:
        """Close the descriptor; the mapping itself goes with the object."""
        if isinstance(self.key, int):
            os.close(self.key)


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("vcfx-plugin")
    handle, path = tempfile.mkstemp(prefix="vcfx-plugin-")
    os.unlink(path)
    return handle


def _named(name: str, size: int) -> Any:
    options: dict[str, Any] = {"tagname": name}  # a word that only Windows knows
    return mmap.mmap(-1, size, **options)
