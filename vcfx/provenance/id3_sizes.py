"""Whether the frames of an ID3 tag fit into it: readers that believe their sizes ask for gigabytes, and die of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

HEADER_BYTES: Final = 10
#: Version 2.3 writes a frame's size as 32 bits, 2.4 in sevens; 2.2 has 24 bits, too few to do harm.
PLAIN, SEVENS = 3, 4
HAS_EXTENSION: Final = 0x40
#: Beyond so many frames nobody means well, or nothing more is to be feared.
MOST_FRAMES: Final = 10_000


def frames_fit(path: Path) -> bool:
    """Tell whether every frame of the tag at a file's start ends within the tag and the file; no tag: yes.

    Layout: id3.org, "ID3 tag version 2.3.0" and "2.4.0", sections 3.1 to 3.3. Raises OSError.
    """
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
        if len(header) < HEADER_BYTES or header[:3] != b"ID3" or header[3] not in (PLAIN, SEVENS):
            return True
        version, at = header[3], HEADER_BYTES
        end = min(HEADER_BYTES + _sevens(header[6:10]), path.stat().st_size)
        if header[5] & HAS_EXTENSION:
            extension = file.read(4)
            at += _size(extension, version) + (4 if version == PLAIN else 0)
        for _ in range(MOST_FRAMES):
            if at + HEADER_BYTES > end:
                return at <= end
            file.seek(at)
            frame = file.read(HEADER_BYTES)
            if frame[:1] == b"\x00":  # what follows is padding
                return True
            at += HEADER_BYTES + _size(frame[4:8], version)
    return False


def _size(field: bytes, version: int) -> int:
    return int.from_bytes(field, "big") if version == PLAIN else _sevens(field)


def _sevens(field: bytes) -> int:
    number = 0
    for byte in field:
        number = number << 7 | byte & 0x7F
    return number
