"""OSC as a client of a live run."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager

from vcfx.control.surface import ControlSurface
from vcfx.errors import ControlError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``--osc``, ``--osc-host`` and ``--osc-reply``."""
    parser.add_argument("--osc", type=int, metavar="PORT", help="take OSC messages on this UDP port")
    parser.add_argument(
        "--osc-host",
        default="127.0.0.1",
        metavar="H",
        help="address to listen on (default: 127.0.0.1; 0.0.0.0 lets everyone in the network control the voice)",
    )
    parser.add_argument("--osc-reply", metavar="H:PORT", help="send OSC answers there instead of to whom they concern")


def open_client(options: argparse.Namespace, surface: ControlSurface) -> AbstractContextManager[object] | None:
    """Open the port if it is wanted.

    Raises
    ------
    ControlError
        If a port or host is not allowed or cannot be opened.
    """
    if options.osc is None:
        if options.osc_reply is not None:
            raise ControlError("--osc-reply needs --osc PORT")
        return None
    port = _port(str(options.osc), "--osc")
    reply = None
    if options.osc_reply is not None:
        host, _, number = options.osc_reply.rpartition(":")
        reply = host.strip("[]") or "127.0.0.1", _port(number, "--osc-reply")
    from .server import OscServer

    return OscServer(surface, options.osc_host, port, reply)


def _port(text: str, option: str) -> int:
    port = int(text) if text.isdecimal() and len(text) < 6 else 0
    if not 1 <= port <= 65_535:
        raise ControlError(f"{option}: the port is {ascii(text)[:40]}; allowed: 1 to 65535")
    return port
