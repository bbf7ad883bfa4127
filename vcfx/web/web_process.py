"""The web server as a child process of the voice: started, watched, started again, ended."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from vcfx.control.local.place import ControlAddress
from vcfx.errors import ControlError

from .access import Access

_READY: Final = "ready"
_VOICE_ENDED: Final = 3
_START_S: Final = 30.0
_END_S: Final = 3.0
#: So many ends within so long, and it is not started again.
_MOST_STARTS, _WITHIN_S = 5, 60.0
_BREATH_S: Final = 0.5


class WebProcess:
    """Serves a running voice from a process of its own, so that whatever happens to the server, the voice goes on.

    Parameters
    ----------
    listening
        The socket to serve on; kept open here, so that a server that is started again takes over its callers.
    access
        Who may call.
    voice
        Where the voice takes its messages.
    problem
        Told a sentence when the server has died, on a thread of this object.

    Raises
    ------
    ControlError
        If the server does not start.
    """

    def __init__(
        self, listening: socket.socket, access: Access, voice: ControlAddress, problem: Callable[[str], None]
    ) -> None:
        self._listening = listening
        self._access = access
        self._voice = voice
        self._problem = problem
        self._ending = threading.Event()
        #: Set when the server is not there any more and will not come back.
        self.ended = threading.Event()
        self._last_lines: deque[str] = deque(maxlen=8)
        self._process = self._started()
        self._thread = threading.Thread(target=self._watch, name="vcfx web process", daemon=True)
        self._thread.start()

    @property
    def voice_ended(self) -> bool:
        """Whether the server has ended because the voice has."""
        return self.ended.is_set() and self._process.returncode == _VOICE_ENDED

    @property
    def process_id(self) -> int:
        """Number of the server's present process."""
        return self._process.pid

    def close(self) -> None:
        """End the server, gently first."""
        self._ending.set()
        self._thread.join(2 * _END_S + _START_S)
        self._listening.close()

    def __enter__(self) -> WebProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers."""
        process = self._spawned()
        ready = threading.Event()
        threading.Thread(target=self._read, args=(process, ready), daemon=True).start()
        end_s = time.monotonic() + _START_S
        while not ready.wait(0.05):
            if process.poll() is not None or self._ending.is_set() or time.monotonic() > end_s:
                code = _ended(process)
                raise ControlError(f"the web server does not start ({self._reason(code)})")
        return process

    def _spawned(self) -> subprocess.Popen[bytes]:
        number = self._listening.fileno()
        windows = os.name == "nt"
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vcfx.web.server"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            pass_fds=() if windows else (number,),
            start_new_session=not windows,  # Ctrl-C is for the voice, which then ends the server
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # the same modules as here
        )  # fmt: skip
        place = {"socket": number}
        if sys.platform == "win32":
            place = {"shared": base64.b64encode(self._listening.share(process.pid)).decode()}
        request = {
            "voice": self._voice.name, "path": str(self._voice.path), "host": self._access.host,
            "port": self._access.port, "token": self._access.token, **place,
        }  # fmt: skip
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # dead already: its last words say why
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        return process

    def _read(self, process: subprocess.Popen[bytes], ready: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                text = line.decode(errors="replace").strip()
                if text == _READY:
                    ready.set()
                elif text:
                    self._last_lines.append(text[:300])

    def _watch(self) -> None:
        starts: deque[float] = deque([time.monotonic()], maxlen=_MOST_STARTS)
        while not self._ending.is_set():
            if self._process.poll() is None:
                self._ending.wait(0.1)
            elif self._process.returncode == _VOICE_ENDED:
                break
            elif len(starts) == _MOST_STARTS and time.monotonic() - starts[0] < _WITHIN_S:
                self._problem(
                    f"the web server has ended again ({self._reason(self._process.returncode)}); it stays off"
                )
                break
            else:
                self._start_again(starts)
        _ended(self._process)
        self.ended.set()

    def _start_again(self, starts: deque[float]) -> None:
        self._problem(f"the web server has ended ({self._reason(self._process.returncode)}); starting it again")
        _ended(self._process)  # closes what is left of it
        starts.append(time.monotonic())
        if self._ending.wait(_BREATH_S):
            return
        with contextlib.suppress(ControlError):  # counted as one more end
            self._process = self._started()

    def _reason(self, code: int | None) -> str:
        return self._last_lines[-1] if self._last_lines else f"code {code}"


def _ended(process: subprocess.Popen[bytes]) -> int | None:
    """End a process: its standard input first, then by force; returns its exit code."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    for end in (process.terminate, process.kill):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(_END_S)
        end()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
    return process.returncode
