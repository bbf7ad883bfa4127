"""The process of one running plugin: ``python -m ...server PARENT``; its standard input tells it the rest.

Audio goes through shared memory. Over one socket a four-byte record says that a block lies there, an eight-byte
record that so many are done; a negative record announces a line of JSON on the other socket, so that everything
happens in the order in which it was sent.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import struct
import sys
import time
from typing import Any, Final, NoReturn

from vcfx.hosts.priority import ask_for_real_time

from .family import die_with_parent, hush
from .hosted import HostedPlugin
from .shared_blocks import RingShape, SharedBlocks

BLOCK_RECORD: Final = struct.Struct("<i")
DONE_RECORD: Final = struct.Struct("<q")
LINE_FOLLOWS: Final = -1
_STATE_EVERY_S: Final = 2.0
#: The state is told between two blocks only as long as that takes less than this part of a block's time.
_STATE_SHARE: Final = 0.1


def main() -> int:
    """Serve one plugin until the parent closes the socket or is gone."""
    die_with_parent(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for the parent
    hush()
    task = json.loads(sys.stdin.buffer.read())
    facts = _open_socket(task["facts"])
    try:
        server = _Server(task, facts)
    except Exception as error:  # foreign code: whatever it raises is what is wrong with it
        _tell_failure(facts, error)
    try:
        server.serve()
    except OSError:  # the parent is gone: nobody to tell
        os._exit(0)
    except Exception as error:
        _tell_failure(facts, error)
    os._exit(0)  # without taking the plugin down, which some do not survive


class _Server:
    """Runs blocks and lines in their order."""

    def __init__(self, task: dict[str, Any], facts: socket.socket) -> None:
        shape = RingShape(task["slots"], task["channels"], task["max_frames"])
        self._blocks = SharedBlocks(shape, task["memory"])
        self._beats, self._facts, self._lines = _open_socket(task["beats"]), facts, facts.makefile("rb")
        self._plugin = HostedPlugin(
            task["path"],
            task["name"],
            tuple(task["taken"]),
            task["sample_rate"],
            task["channels"],
            task["max_frames"],
            base64.b64decode(task["state"]),
            task["values"],
        )
        self._block_s = task["max_frames"] / task["sample_rate"]
        self._told_s, self._tells_state = time.monotonic(), True
        _say(facts, latency_samples=self._plugin.latency_samples, state=_as_text(self._plugin.state))
        ask_for_real_time()

    def serve(self) -> None:
        """Work until the socket is closed."""
        done, waiting = 0, b""
        while received := self._beats.recv(4_096):
            waiting += received
            whole = len(waiting) - len(waiting) % BLOCK_RECORD.size
            for (frames,) in BLOCK_RECORD.iter_unpack(waiting[:whole]):
                if frames == LINE_FOLLOWS:
                    self._obey(json.loads(self._lines.readline()))
                    continue
                slot = done % self._blocks.shape.slots
                heard, made = self._blocks.to_plugin[slot], self._blocks.from_plugin[slot]
                self._plugin.process(heard[:, :frames], made[:, :frames])
                done += 1
                self._beats.send(DONE_RECORD.pack(done))
            waiting = waiting[whole:]
            self._tell_state()

    def _obey(self, line: dict[str, Any]) -> None:
        if "state" in line:
            self._plugin.restore(base64.b64decode(line["state"]))
        if "values" in line:
            self._plugin.set(line["values"])
            self._told_s = 0.0
        if line.get("reset"):
            self._plugin.reset()

    def _tell_state(self) -> None:
        """Let the parent know what a restart has to bring back; never when that would hold up the sound."""
        now_s = time.monotonic()
        if not self._tells_state or now_s - self._told_s < _STATE_EVERY_S:
            return
        _say(self._facts, state=_as_text(self._plugin.state))
        self._told_s = time.monotonic()
        self._tells_state = self._told_s - now_s < _STATE_SHARE * self._block_s


def _open_socket(key: int | str) -> socket.socket:
    if isinstance(key, int):
        return socket.socket(fileno=key)
    windows: Any = socket
    opened: socket.socket = windows.fromshare(base64.b64decode(key))
    return opened


def _say(facts: socket.socket, **what: object) -> None:
    facts.sendall(json.dumps(what).encode() + b"\n")


def _tell_failure(facts: socket.socket, error: Exception) -> NoReturn:
    with contextlib.suppress(OSError):
        _say(facts, error=" ".join(f"{type(error).__name__}: {error}".split())[:300])
    os._exit(1)


def _as_text(state: bytes) -> str:
    return base64.b64encode(state).decode("ascii")


if __name__ == "__main__":
    sys.exit(main())
