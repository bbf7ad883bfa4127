"""Single key presses from a terminal, without waiting for Enter."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class KeyReader(Protocol):
    """Returns a pressed key, or None if there is none within the time."""

    def __call__(self, timeout_s: float) -> str | None:
        """Wait up to `timeout_s` seconds."""


@contextmanager
def key_reader() -> Iterator[KeyReader | None]:
    """Yield a reader of single keys, or None where standard input is no terminal; the terminal is put back after."""
    if not sys.stdin or not sys.stdin.isatty():
        yield None
    elif sys.platform == "win32":
        yield _read_windows
    else:
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        try:
            tty.setcbreak(descriptor)
            yield _read_posix
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _read_posix(timeout_s: float) -> str | None:
    import os
    import select

    readable, _, _ = select.select([sys.stdin], [], [], timeout_s)
    return os.read(sys.stdin.fileno(), 1).decode(errors="ignore") or None if readable else None


def _read_windows(timeout_s: float) -> str | None:
    import msvcrt
    import time

    limit_s = time.monotonic() + timeout_s
    while time.monotonic() < limit_s:
        if msvcrt.kbhit():  # type: ignore[attr-defined,unused-ignore]
            return str(msvcrt.getwch())  # type: ignore[attr-defined,unused-ignore]
        time.sleep(0.01)
    return None
