"""One child process with a plugin in it, as the parent sees it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vcfx.errors import PluginError
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.parameters import Value

from .description import PluginDescription
from .server import BLOCK_RECORD, DONE_RECORD, LINE_FOLLOWS
from .shared_blocks import RingShape, SharedBlocks

LOAD_LIMIT_S: Final = 10.0
#: How long `PluginLink.heard` waits.
LOOK_EVERY_S: Final = 0.02
_END_LIMIT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class PluginTask:
    """What a child is to run: a plugin, on which terms, from which state and values (by the plugin's names)."""

    plugin: PluginDescription
    spec: ProcessSpec
    state: bytes = b""
    values: Mapping[str, Value] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what the child is told, without the ways to talk."""
        return {
            "path": self.plugin.path,
            "name": self.plugin.name,
            "taken": list(self.plugin.channels),
            "sample_rate": self.spec.sample_rate,
            "channels": self.spec.channels,
            "max_frames": self.spec.max_frames,
            "state": base64.b64encode(self.state).decode("ascii"),
            "values": dict(self.values),
        }


class PluginLink:
    """A running child. `send`, `receive`, `answer`: the worker's thread; the rest: its keeper's.

    Attributes
    ----------
    sent, done
        Blocks given to the child, and answered by it.
    first
        Number of the first block since the last reset.
    owed_since_s
        Since when the child has owed an answer without giving any (`time.monotonic`), or infinity.
    """

    def __init__(self, task: PluginTask) -> None:
        spec = task.spec
        self.sent = self.done = self.first = 0
        self.owed_since_s = float("inf")
        self.blocks = SharedBlocks.create(RingShape.of(spec.sample_rate, spec.channels, spec.max_frames))
        self._beats, their_beats = socket.socketpair()
        self._facts, their_facts = socket.socketpair()
        self._facts.settimeout(LOOK_EVERY_S)
        self._unread, self._line, self._is_over = b"", b"", False
        self.process = _spawn([self.blocks.key, their_beats.fileno(), their_facts.fileno()])
        ways = {"beats": self._key(their_beats), "facts": self._key(their_facts)}
        self._tell_task(task.as_json() | ways | {"memory": self.blocks.key, "slots": self.blocks.shape.slots})
        their_beats.close()
        their_facts.close()
        self.blocks.close_key()

    def _key(self, theirs: socket.socket) -> int | str:
        if sys.platform != "win32":
            return theirs.fileno()
        return base64.b64encode(theirs.share(self.process.pid)).decode("ascii")

    def _tell_task(self, task: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError), self.process.stdin as pipe:  # of a child that died at once we hear soon
            pipe.write(json.dumps(task).encode())

    def wait_until_ready(self, timeout_s: float = LOAD_LIMIT_S) -> dict[str, Any]:
        """Return what the child tells once it has loaded the plugin: latency and state.

        Raises
        ------
        PluginError
            If it did not load, crashed, or does not answer in time; it is ended then.
        """
        limit_s = time.monotonic() + timeout_s
        facts = None
        try:
            while facts is None and time.monotonic() < limit_s:
                facts = self.heard()
            if facts is None:
                raise PluginError(f"it did not answer within {timeout_s:g} s")
            if "error" in facts:
                raise PluginError(facts["error"])
        except PluginError:
            self.end()
            self.bury()
            raise
        return facts

    def heard(self) -> dict[str, Any] | None:
        """Return the next thing the child has told, or None after a short while.

        Raises
        ------
        PluginError
            If the child is gone.
        """
        if b"\n" not in self._line:
            try:
                received = self._facts.recv(1 << 16)
            except TimeoutError:
                return None
            except OSError:
                received = b""
            if not received:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(_END_LIMIT_S)
                raise PluginError(self.epitaph)
            self._line += received
            if b"\n" not in self._line:
                return None
        line, _, self._line = self._line.partition(b"\n")
        facts: dict[str, Any] = json.loads(line)
        return facts

    def send(self, block: Block) -> bool:
        """Give the child a block; False if it is gone or has fallen too far behind to take one."""
        shape, frames = self.blocks.shape, block.shape[1]
        if self._is_over or self.sent - self.done >= shape.slots:
            return False
        self.blocks.to_plugin[self.sent % shape.slots, :, :frames] = block
        if self.sent == self.done:
            self.owed_since_s = time.monotonic()
        try:
            self._beats.settimeout(0.0)
            self._beats.send(BLOCK_RECORD.pack(frames))
        except OSError:
            return False
        self.sent += 1
        return True

    def receive(self, number: int, timeout_s: float) -> bool:
        """Wait until the child has answered so many blocks; False if it has not in time or is gone."""
        limit_s = time.monotonic() + timeout_s
        while self.done < number and not self._is_over:
            left_s = limit_s - time.monotonic()
            if not self._read_answers(max(0.0, left_s)) and left_s <= 0.0:
                break
        return self.done >= number

    def _read_answers(self, timeout_s: float) -> bool:
        """Whether there were any."""
        try:
            self._beats.settimeout(timeout_s)
            received = self._beats.recv(4_096)
        except (BlockingIOError, TimeoutError):
            return False
        except OSError:
            received = b""
        self._is_over = not received
        self._unread += received
        whole = len(self._unread) - len(self._unread) % DONE_RECORD.size
        if whole:
            (self.done,) = DONE_RECORD.unpack(self._unread[whole - DONE_RECORD.size : whole])
            self._unread = self._unread[whole:]
            self.owed_since_s = time.monotonic() if self.done < self.sent else float("inf")
        return bool(whole)

    def answer(self, number: int, target: Block) -> None:
        """Copy out what the child made of the block with that number, counted from 0."""
        target[:] = self.blocks.from_plugin[number % self.blocks.shape.slots, :, : target.shape[1]]

    def tell(self, **line: object) -> None:
        """Tell the child something; it takes effect behind the blocks sent before. One that is gone hears nothing."""
        with contextlib.suppress(OSError):
            self._facts.sendall(json.dumps(line).encode() + b"\n")
            self._beats.send(BLOCK_RECORD.pack(LINE_FOLLOWS))

    @property
    def epitaph(self) -> str:
        """How the process ended, as the end of a sentence."""
        code = self.process.poll()
        if code is None:
            return "it does not answer"
        return f"it was killed by {signal.Signals(-code).name}" if code < 0 else f"it ended with exit code {code}"

    def end(self) -> None:
        """End the process at once. The sockets stay, because the worker may be in the middle of one; see `bury`."""
        self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_END_LIMIT_S)

    def bury(self) -> None:
        """Close the sockets, when no other thread uses the link any more."""
        self._beats.close()
        self._facts.close()


def _spawn(descriptors: list[Any]) -> subprocess.Popen[bytes]:
    """Start a child that finds the same packages and inherits just these descriptors."""
    given: dict[str, Any] = {} if sys.platform == "win32" else {"pass_fds": descriptors}
    return subprocess.Popen(
        [sys.executable, "-m", "vcfx.hosts.plugins.server", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        **given,
    )
