"""The folder of keys, lists and the audit log, and the lock that lets one process at a time change them."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from vcfx_models.data_folder import data_folder
from vcfx_models.errors import ConsentError

#: How long one process waits for another.
PATIENCE_S: Final = 10.0
_held = threading.local()


def papers_folder() -> Path:
    """Return the folder, which need not exist."""
    return data_folder() / "papers"


def make_papers_folder() -> Path:
    """Return the folder, made for this user alone if it was not there. Raises OSError."""
    folder = papers_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


@contextlib.contextmanager
def locked_papers() -> Iterator[None]:
    """Let no other process, and no other thread, change the papers meanwhile; the same thread may take it twice.

    SQLite's file locks serve here because they work on every system and end with their process.

    Raises
    ------
    ConsentError
        If the folder cannot be written, or another process keeps the lock.
    """
    if getattr(_held, "lock", None) is not None:
        yield
        return
    path = papers_folder() / "lock.sqlite"
    try:
        make_papers_folder()
        lock = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
            _held.lock = lock
        except sqlite3.Error:
            lock.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise ConsentError(f"{path}: cannot be locked: {getattr(error, 'strerror', None) or error}") from None
    try:
        yield
    finally:
        _held.lock = None
        lock.close()
