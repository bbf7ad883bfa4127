"""The PortAudio library, loaded when it is first needed and without its chatter.

`sounddevice` loads it; its `_lib` and `_ffi` give the C interface, through which the engine opens streams.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from ctypes.util import find_library
from importlib import import_module
from typing import Any, Final

from vcfx.devices import jack_watch
from vcfx.devices.packages import install_command, pip_command
from vcfx.errors import DeviceError

JACK_CLIENT_NAME: Final = b"vcfx"
#: PortAudio keeps the pointer, not the text: this must live as long as the process.
_JACK_CLIENT_NAME_BUFFER: Final = ctypes.create_string_buffer(JACK_CLIENT_NAME)

_lock: Final = threading.RLock()
_open_streams: set[int] = set()


def sounddevice() -> Any:
    """Return the `sounddevice` module with PortAudio initialised.

    Returns
    -------
    module
        ``_lib`` is PortAudio's C interface and ``_ffi`` its cffi types.

    Raises
    ------
    DeviceError
        Where the library or the package is missing; the message holds the command that installs it.
    """
    with _lock:
        if "sounddevice" in sys.modules:
            return sys.modules["sounddevice"]
        _name_jack_client()
        try:
            with quiet_stderr():
                portaudio = import_module("sounddevice")
                _watch_jack(portaudio)
        except ModuleNotFoundError as error:
            mend = pip_command(error.name or "sounddevice")
            raise DeviceError(f"the Python package {error.name} is missing; install it with: {mend}") from error
        except OSError as error:
            raise DeviceError(f"the PortAudio library is missing; install it with: {_portaudio_command()}") from error
        except Exception as error:  # sounddevice.PortAudioError: the class is gone with the failed import
            raise DeviceError(f"PortAudio could not start: {error}") from error
        atexit.register(_leave, portaudio)  # later than sounddevice's own handler, so it runs before it
        return portaudio


def _watch_jack(portaudio: Any) -> None:
    if any(api["devices"] and "JACK" in api["name"] for api in portaudio.query_hostapis()):
        jack_watch.watch()


def _leave(portaudio: Any) -> None:
    if jack_watch.server_is_gone():
        portaudio._initialized = 0  # terminating now would abort the process
    jack_watch.stop()


def _portaudio_command() -> str:
    # The wheels for macOS and Windows bring the library along.
    return install_command("portaudio") if sys.platform == "linux" else pip_command("sounddevice", "--force-reinstall")


def _name_jack_client() -> None:
    """Name our JACK client; PortAudio reads the name when it is initialised."""
    path = find_library("portaudio")
    if path is None:
        return
    with contextlib.suppress(OSError, AttributeError):  # built without JACK, or not loadable: sounddevice will tell
        ctypes.CDLL(path).PaJack_SetClientName(_JACK_CLIENT_NAME_BUFFER)


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what C libraries write to standard error to nowhere, for this moment only.

    ALSA prints a line for every device that is configured but absent, and JACK one for a server that does not run.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error to quieten
        yield
        return
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


def stream_opened(stream: int) -> None:
    """Note that a stream (its address, as a number) is open, so that `rescan` is refused."""
    with _lock:
        _open_streams.add(stream)


def stream_closed(stream: int) -> None:
    """Note that a stream was closed; noting it twice does no harm."""
    with _lock:
        _open_streams.discard(stream)


def rescan() -> None:
    """Read the device list anew: PortAudio looks for devices only when it is initialised.

    Raises
    ------
    DeviceError
        While a stream is open (`stream_opened`), since ending PortAudio under a stream crashes; and after the JACK
        server that it was connected to has ended, since PortAudio then aborts the process.
    """
    with _lock:
        if jack_watch.server_is_gone():
            raise DeviceError("the JACK server has ended, and PortAudio cannot leave it; start vcfx again")
        if _open_streams:
            raise DeviceError(
                f"devices can be looked for anew only while no stream is open; {len(_open_streams)} open now"
            )
        if "sounddevice" not in sys.modules:
            sounddevice()
            return
        portaudio = sys.modules["sounddevice"]
        _name_jack_client()
        jack_watch.stop()
        with quiet_stderr():
            try:
                while portaudio._initialized:
                    portaudio._terminate()
                portaudio._initialize()
                _watch_jack(portaudio)
            except portaudio.PortAudioError as error:
                raise DeviceError(f"PortAudio could not start again: {error}") from error


def version() -> str:
    """Return PortAudio's own description of its version."""
    return str(sounddevice().get_portaudio_version()[1])
