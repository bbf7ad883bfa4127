"""JSON lines over a socket that never blocks: what both ends of the control socket are made of."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any, Final

from vcfx.errors import ControlError

_READ_BYTES: Final = 65_536


def to_line(document: object) -> bytes:
    """Return a JSON object as one line."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def from_line(line: bytes) -> dict[str, Any]:
    """Return the JSON object that a line holds; raises `ControlError` if it holds none."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ControlError("a line holds one JSON object")
    return document


class LineSocket:
    """A connected socket that carries lines both ways. `send` may be called from any thread, the rest from one.

    Parameters
    ----------
    connection
        Made non-blocking and closed by this.
    most_line_bytes
        A longer line from the other end is a `ConnectionError`.
    most_waiting_bytes
        More than this for an end that does not read is a `ConnectionError`.
    """

    def __init__(self, connection: socket.socket, most_line_bytes: int, most_waiting_bytes: int) -> None:
        connection.setblocking(False)
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a line is not to wait for the next
        self._connection = connection
        self._most_line_bytes = most_line_bytes
        self._most_waiting_bytes = most_waiting_bytes
        self._received = bytearray()
        self._waiting = bytearray()
        self._moved_s = 0.0
        self._lock = threading.Lock()

    def fileno(self) -> int:
        """Return the socket's number, for a selector; -1 when closed."""
        return self._connection.fileno()

    @property
    def waits(self) -> bool:
        """Whether something could not be sent yet."""
        return bool(self._waiting)

    def stuck_s(self) -> float:
        """Return for how long the other end has taken nothing although something waits for it."""
        with self._lock:
            return time.monotonic() - self._moved_s if self._waiting else 0.0

    def send(self, line: bytes) -> None:
        """Send a line, or keep what does not fit for `flush`; raises OSError when closed or too much waits."""
        with self._lock:
            if len(self._waiting) + len(line) > self._most_waiting_bytes:
                raise ConnectionError("the other end does not read")
            if not self._waiting:
                self._moved_s = time.monotonic()
            self._waiting += line
            self._flush()

    def flush(self) -> None:
        """Send what waits, as far as it goes."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        while self._waiting:
            try:
                sent = self._connection.send(self._waiting[:_READ_BYTES])
            except (BlockingIOError, InterruptedError):
                return
            del self._waiting[:sent]
            self._moved_s = time.monotonic()

    def receive(self) -> list[bytes]:
        """Return the lines that are whole by now; raises OSError at the end and for a line that is too long."""
        try:
            data = self._connection.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return []
        if not data:
            raise ConnectionAbortedError("the other end has closed")
        self._received += data
        lines: list[bytes] = []
        if b"\n" in data:
            *whole, rest = bytes(self._received).split(b"\n")
            lines, self._received = whole, bytearray(rest)
        if max(map(len, [self._received, *lines])) > self._most_line_bytes:
            raise ConnectionError(f"a line is longer than {self._most_line_bytes} bytes")
        return lines

    def close(self) -> None:
        """Close the socket; whoever sends afterwards gets an OSError."""
        self._connection.close()
