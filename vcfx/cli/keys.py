"""Single key presses from a terminal, without waiting for Enter."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_ESCAPE = b"\x1b"
_LONGEST_SEQUENCE = 16


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
            termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)  # keys not read yet must not reach the shell


def _read_posix(timeout_s: float) -> str | None:
    import os
    import select
    import time

    descriptor = sys.stdin.fileno()
    if not select.select([descriptor], [], [], timeout_s)[0]:
        return None
    key = os.read(descriptor, 1)
    if not key:  # the terminal is gone; do not ask it again at once
        time.sleep(timeout_s)
    if key == _ESCAPE and select.select([descriptor], [], [], 0.0)[0]:
        os.read(descriptor, _LONGEST_SEQUENCE)  # an arrow or function key, not Esc
        return None
    return key.decode(errors="ignore") or None


def _read_windows(timeout_s: float) -> str | None:
    import msvcrt
    import time

    limit_s = time.monotonic() + timeout_s
    while time.monotonic() < limit_s:
        if msvcrt.kbhit():  # type: ignore[attr-defined,unused-ignore]
            return str(msvcrt.getwch())  # type: ignore[attr-defined,unused-ignore]
        time.sleep(0.01)
    return None
