"""Chunks of RIFF, RF64 and AIFF files: found, and added at the end, without touching the sound."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

_HEAD: Final = 12
_MAX_CHUNKS: Final = 10_000
_MAX_READ: Final = 1 << 20
#: A size that says: look into the chunk ds64 (EBU Tech 3306).
_IN_DS64: Final = 0xFFFFFFFF


def find_chunks(file: BinaryIO, wanted: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return the content of the last chunk of each wanted kind; of damaged or other files what can be found.

    Parameters
    ----------
    file
        Opened for reading, anywhere.
    wanted
        Four bytes each. Chunks of more than 1 MiB are left out.
    """
    found: dict[bytes, bytes] = {}
    for kind, start, size in _chunks(file):
        if kind in wanted and size <= _MAX_READ:
            file.seek(start)
            found[kind] = file.read(size)
    return found


def append_chunks(path: Path, chunks: Sequence[tuple[bytes, bytes]]) -> None:
    """Add chunks (kind, content) behind all others.

    Raises
    ------
    ValueError
        If the file is no RIFF, RF64 or AIFF, or would grow beyond what its header can say.
    OSError
        If it cannot be written; it is then as it was before.
    """
    with path.open("r+b") as file:
        order = _byte_order(file)
        if order is None:
            raise ValueError("no RIFF, RF64 or AIFF file")
        end = file.seek(0, os.SEEK_END)
        try:
            if end % 2:
                file.write(b"\0")
            for kind, content in chunks:
                file.write(kind + struct.pack(f"{order}I", len(content)) + content + b"\0" * (len(content) % 2))
            file.flush()
            _write_size(file, order, file.tell() - 8)
            file.flush()
        except BaseException:
            file.truncate(end)
            raise


def _byte_order(file: BinaryIO) -> str | None:
    file.seek(0)
    head = file.read(_HEAD)
    if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
        return "<"
    return ">" if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC") else None


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Give kind, place and size of each chunk's content."""
    order = _byte_order(file)
    if order is None:
        return
    end, at, data_size = file.seek(0, os.SEEK_END), _HEAD, None
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        kind, (size,) = head[:4], struct.unpack(f"{order}I", head[4:])
        if kind == b"ds64" and 16 <= size <= end - at - 8:
            data_size = struct.unpack("<Q", file.read(16)[8:])[0]
        if kind == b"data" and size == _IN_DS64 and data_size is not None:
            size = data_size
        if at + 8 + size > end:
            return
        yield kind, at + 8, size
        at += 8 + size + size % 2


def _write_size(file: BinaryIO, order: str, size: int) -> None:
    file.seek(0)
    if file.read(4) == b"RF64":
        file.seek(_HEAD)
        if file.read(4) != b"ds64":
            raise ValueError("an RF64 file without ds64")
        file.seek(_HEAD + 8)
        file.write(struct.pack("<Q", size))
        return
    if size >= _IN_DS64:
        raise ValueError("no room in a header of 32 bits")
    file.seek(4)
    file.write(struct.pack(f"{order}I", size))
