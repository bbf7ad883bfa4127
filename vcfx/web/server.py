"""The web server's process, started as ``python -m vcfx.web.server`` by `WebProcess`.

Its standard input holds one line of JSON that says what to serve, and stays open: when it ends, so does the process.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

import uvicorn
from starlette.types import ASGIApp

from vcfx.control.local import ControlAddress, RemoteControl
from vcfx.errors import ControlError

from .access import Access
from .app import create_app
from .limits import Limits

READY: Final = "ready"
#: Exit code when there is no voice any more.
VOICE_ENDED: Final = 3
_MOST_CONNECTIONS: Final = 128
_NICE: Final = 5


class PageServer(uvicorn.Server):
    """A uvicorn server with this application's settings, which says when it answers.

    Parameters
    ----------
    app
        From `create_app`.
    limits
        Those of the application; a connection that has asked for nothing within `body_seconds` is closed, so that
        silent ones cannot take every place.
    """

    def __init__(self, app: ASGIApp, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._patience_seconds = limits.body_seconds
        self._silent_since: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        configuration = uvicorn.Config(
            app, loop="asyncio", http="h11", ws="websockets-sansio", lifespan="on", log_level="error",
            access_log=False, proxy_headers=False, server_header=False, limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=1, ws_max_size=limits.live_message_bytes, ws_per_message_deflate=False,
            ws_ping_interval=10.0, ws_ping_timeout=10.0, h11_max_incomplete_event_size=32_768,
        )  # fmt: skip
        super().__init__(configuration)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started:
            self.ready.set()

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections; called ten times a second."""
        now = time.monotonic()
        for connection in tuple(self.server_state.connections):
            if getattr(connection, "cycle", self) is not None:  # it has asked, or is a WebSocket
                self._silent_since.pop(connection, None)
            elif now - self._silent_since.setdefault(connection, now) > self._patience_seconds:
                connection.transport.close()
        return await super().on_tick(counter)


def main() -> int:
    """Serve until standard input or the voice ends; returns the exit code."""
    if hasattr(os, "nice"):
        os.nice(_NICE)  # the voice comes first
    request = json.loads(_first_line())
    try:
        surface = RemoteControl(ControlAddress(request["voice"], Path(request["path"])))
    except ControlError as error:
        print(error, file=sys.stderr)
        return VOICE_ENDED
    listening = _listening(request)
    access = Access(request["host"], request["port"], request["token"])
    server = PageServer(create_app(surface, access))
    for work in (_announce, _end_with_input):
        threading.Thread(target=work, args=(server,), daemon=True).start()
    threading.Thread(target=_end_with_voice, args=(server, surface), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run([listening])
    if not server.ready.is_set():
        return 1
    code = VOICE_ENDED if surface.closed.is_set() else 0
    surface.close()
    return code


def _listening(request: dict[str, Any]) -> socket.socket:
    if "shared" in request:  # only Windows has it, and there only this way
        shared: socket.socket = socket.fromshare(base64.b64decode(request["shared"]))  # type: ignore[attr-defined,unused-ignore]
        return shared
    return socket.socket(fileno=request["socket"])


def _first_line() -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        read = os.read(0, 1)
        if not read:
            break
        line += read
    return line


def _announce(server: PageServer) -> None:
    server.ready.wait()
    print(READY, flush=True)


def _end_with_voice(server: PageServer, surface: RemoteControl) -> None:
    surface.closed.wait()
    server.should_exit = True


def _end_with_input(server: PageServer) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4_096):
            pass
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main())
