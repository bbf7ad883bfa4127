"""Waking a thread that waits in a selector."""

from __future__ import annotations

import contextlib
import socket


class Wake:
    """A socket that becomes readable when any thread calls `ring`."""

    def __init__(self) -> None:
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)

    def fileno(self) -> int:
        """Return the number to select for reading."""
        return self._ear.fileno()

    def ring(self) -> None:
        """Wake the thread; once is as good as many times."""
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: it has ended
            self._bell.send(b"!")

    def hush(self) -> None:
        """Take note of every ring until now."""
        with contextlib.suppress(OSError):
            while self._ear.recv(4_096):
                pass

    def close(self) -> None:
        """Close both ends."""
        self._bell.close()
        self._ear.close()
