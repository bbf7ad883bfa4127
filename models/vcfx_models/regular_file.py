"""Read files that somebody else may have put there."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_regular_file(path: Path, most: int) -> bytes:
    """Return a file's content, cut off after `most` + 1 bytes. Devices and pipes, which might never end, are no files.

    Raises
    ------
    OSError
        If it cannot be read, or is no regular file; FileNotFoundError only if nothing is there.
    ValueError
        If the path holds a NUL.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        with open(handle, "rb", closefd=False) as file:
            return file.read(most + 1)
    finally:
        os.close(handle)
