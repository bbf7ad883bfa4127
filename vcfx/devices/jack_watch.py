"""Whether the JACK server that PortAudio is connected to still runs.

When it ends, PortAudio cannot be terminated any more: its JACK part aborts the whole process (pa_jack.c asserts that
the client can be deactivated). So we keep a client of our own, without ports, which JACK tells of its end.
"""

from __future__ import annotations

import ctypes
import threading
from ctypes.util import find_library
from typing import Any, Final

WATCH_NAME: Final = b"vcfx-watch"
_NO_START_SERVER: Final = 1  # JackNoStartServer
_gone: Final = threading.Event()
_client: tuple[Any, Any] | None = None  # libjack, client


def _shutdown(_argument: object) -> None:
    _gone.set()


_on_shutdown: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_shutdown)  # JACK keeps the pointer


def watch() -> None:
    """Start watching, if it has not been started; for use right after PortAudio connected to a server."""
    global _client
    path = find_library("jack")
    if _client is not None or path is None:
        return
    jack = ctypes.CDLL(path)
    jack.jack_client_open.restype = ctypes.c_void_p
    jack.jack_client_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
    jack.jack_on_shutdown.argtypes = [ctypes.c_void_p, type(_on_shutdown), ctypes.c_void_p]
    jack.jack_client_close.argtypes = [ctypes.c_void_p]
    jack.jack_get_buffer_size.argtypes = [ctypes.c_void_p]
    jack.jack_get_buffer_size.restype = ctypes.c_uint32
    client = jack.jack_client_open(WATCH_NAME, _NO_START_SERVER, None)
    if client:  # a server that is full refuses: then nothing is watched
        jack.jack_on_shutdown(client, _on_shutdown, None)
        _client = (jack, client)


def server_is_gone() -> bool:
    """Say whether the server that `watch` connected to has ended; False where none is watched."""
    return _gone.is_set()


def period_frames() -> int | None:
    """Return the frames per period of the server, or None where none is watched."""
    if _client is None or _gone.is_set():
        return None
    jack, client = _client
    return int(jack.jack_get_buffer_size(client))


def stop() -> None:
    """Stop watching; where the server is gone there is nothing to leave."""
    global _client
    if _client is None or _gone.is_set():
        return
    jack, client = _client
    _client = None
    jack.jack_client_close(client)
