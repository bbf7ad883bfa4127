"""Standard input and output as sound files: libsndfile must seek in them, so they go through temporary files."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from vcfx.errors import AudioFileError

DASH = "-"
_COPY_BYTES = 1 << 18


def is_stream(path: Path) -> bool:
    """Say whether a path cannot be read twice or sought in: `-`, or a named pipe such as the shell's ``<(...)``."""
    try:
        return str(path) == DASH or stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False


def spool(path: Path, folder: Path) -> Path:
    """Copy a stream to a new file in `folder`, which lives as long as the caller keeps it.

    Parameters
    ----------
    path
        `-` for standard input, or a named pipe.
    folder
        A temporary folder.
    """
    if str(path) == DASH and sys.stdin.isatty():
        raise AudioFileError("standard input is a terminal; pipe a sound file into it")
    copy = folder / f"input-{len(list(folder.iterdir()))}"
    try:
        if str(path) == DASH:
            _copy(sys.stdin.buffer, copy)
        else:
            with path.open("rb") as stream:
                _copy(stream, copy)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise AudioFileError(f"no space left in {folder.parent} for a copy of {shown(path)}") from error
        raise AudioFileError(f"{shown(path)} cannot be read: {error.strerror or error}") from error
    return copy


def refuse_terminal_output() -> None:
    """Raise if sound would be written to a terminal."""
    if sys.stdout.isatty():
        raise AudioFileError("standard output is a terminal; pipe it, or give -o FILE")


def pour(path: Path) -> None:
    """Copy a finished file to standard output."""
    with path.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer, _COPY_BYTES)
    sys.stdout.buffer.flush()


def shown(path: Path) -> str:
    """Return what a sentence calls the path."""
    return "standard input" if str(path) == DASH else str(path)


def _copy(stream: BinaryIO, copy: Path) -> None:
    with copy.open("xb") as file:
        shutil.copyfileobj(stream, file, _COPY_BYTES)
