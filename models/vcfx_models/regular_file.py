"""Read files that somebody else may have put there."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_regular_file(path: Path, most: int) -> bytes:
    """Return a file's content, cut off after `most` + 1 bytes. Devices and pipes, which might never end, are no files.

    Raises
    ------
    OSError
        If it cannot be read; FileNotFoundError also for what is no regular file.
    ValueError
        If the path holds a NUL.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileNotFoundError(f"{path} is no regular file")
        return file.read(most + 1)
