"""The socket that the web server listens on, and the addresses that people type to reach it."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
from typing import Final

from vcfx.errors import ControlError

DEFAULT_PORT: Final = 8723
_BACKLOG: Final = 128
#: A connection that takes nothing for so long is given up by the system.
_STALLED_MS: Final = 30_000
_SEND_BUFFER_BYTES: Final = 65_536


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address of this machine; port 0 takes any free one.

    Raises
    ------
    ControlError
        If the port is in use or not allowed, or the host is no address of this machine.
    """
    if not 0 <= port <= 65_535:
        raise ControlError(f"--port is {port}; allowed: 0 to 65535")
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError):
        raise ControlError(f"--host is {ascii(host)[:60]}, which is no address of this machine") from None
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":  # there it would let two programs share a port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # little is kept for a client that is slow: it would show meters that are seconds old
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STALLED_MS)
        made.bind(place)
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise ControlError(_sentence(error, host, port)) from None
    return made


def _sentence(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is in use by another program; choose one with --port"
        case errno.EACCES:
            return f"port {port} is not allowed to this user; choose one above 1023 with --port"
        case errno.EADDRNOTAVAIL:
            return f"--host is {ascii(host)[:60]}, which is no address of this machine"
        case _:
            return f"port {port} of {host} cannot be used: {error.strerror or error}"


def page_address(listening: socket.socket, token: str | None) -> str:
    """Return what to open in a browser; the token is behind the ``#``, which browsers keep to themselves."""
    host, port = listening.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = _own_address(listening.family) or host
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/" + (f"#token={token}" if token else "")


def _own_address(family: int) -> str | None:
    """Return the address that other machines know this one by; nothing is sent to find it."""
    elsewhere = "2001:db8::1" if family == socket.AF_INET6 else "192.0.2.1"
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.connect((elsewhere, 9))
        own: str = asked.getsockname()[0]
        return own
    return None
