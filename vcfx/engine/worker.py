"""The worker thread: runs host nodes for every plan that is alive, woken by the callback through a pipe."""

from __future__ import annotations

import contextlib
import math
import os
import select
import sys
import threading
import time

import numpy as np
import numpy.typing as npt

from vcfx.graph.worker_section import WorkerSection
from vcfx.hosts.priority import ask_for_real_time

from .cells import BINS_PER_OCTAVE, HISTOGRAM_SIZE
from .statistics import Percentiles, percentiles_of_histogram

_IDLE_S = 0.1
_POLL_S = 0.001  # where the callback cannot write to a pipe (Windows)
_SWITCH_INTERVAL_S = 0.0005  # Python's default of 5 ms would make the worker wait that long behind a busy thread


class Worker:
    """One Python thread for all host nodes. Thread: control, except `_run`."""

    def __init__(self) -> None:
        self._sections: tuple[WorkerSection, ...] = ()
        self._running = False
        self._thread: threading.Thread | None = None
        self._read_fd, self.wake_fd = _wake_pipe()
        self._histogram: npt.NDArray[np.int64] = np.zeros(HISTOGRAM_SIZE, np.int64)
        self._longest_ns = 0
        self._rounds = 0
        self.errors = 0
        self.last_error = ""

    def start(self) -> None:
        """Start the thread."""
        if self._running:
            return
        self._running = True
        if sys.getswitchinterval() > _SWITCH_INTERVAL_S:
            sys.setswitchinterval(_SWITCH_INTERVAL_S)
        self._thread = threading.Thread(target=self._run, name="vcfx-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits up to two seconds for a node that is busy."""
        self._running = False
        self._wake()
        if self._thread is not None:
            self._thread.join(2.0)
            self._thread = None

    def close(self) -> None:
        """Stop and close the pipe. The callback must not run any more."""
        self.stop()
        for descriptor in (self._read_fd, self.wake_fd):
            if descriptor >= 0:
                os.close(descriptor)
        self._read_fd = self.wake_fd = -1

    def add(self, section: WorkerSection | None) -> None:
        """Work for one more plan."""
        if section is not None:
            self._sections = (*self._sections, section)
            self._wake()

    def remove(self, section: WorkerSection | None) -> None:
        """Work no longer for a retired plan."""
        self._sections = tuple(other for other in self._sections if other is not section)

    def wait_for_round(self, timeout_s: float) -> bool:
        """Wait until whatever is removed by now is not worked for any more; False if that took too long."""
        if self._thread is None:
            return True
        before, limit_s = self._rounds, time.monotonic() + timeout_s
        while self._rounds == before and self._running:
            if time.monotonic() > limit_s:
                return False
            self._wake()
            time.sleep(_POLL_S)
        return True

    def percentiles(self) -> Percentiles:
        """How long hops took."""
        return percentiles_of_histogram(self._histogram, self._longest_ns)

    def _wake(self) -> None:
        if self.wake_fd >= 0:
            with contextlib.suppress(BlockingIOError):  # the pipe is full of wake-ups already
                os.write(self.wake_fd, b"\0")

    def _run(self) -> None:
        ask_for_real_time()
        while self._running:
            self._wait()
            for section in self._sections:
                self._serve(section)
            self._rounds += 1

    def _serve(self, section: WorkerSection) -> None:
        while self._running:
            start_ns = time.perf_counter_ns()
            try:
                if not section.work_once():
                    return
            except Exception as error:
                # A host node is foreign code; the voice must go on (silent) and the control side must learn why.
                section.skip_hop()
                self.errors += 1
                self.last_error = f"{type(error).__name__}: {error}"
                continue
            self._count(time.perf_counter_ns() - start_ns)

    def _count(self, duration_ns: int) -> None:
        index = int(math.log2(max(duration_ns, 1)) * BINS_PER_OCTAVE)
        self._histogram[min(index, HISTOGRAM_SIZE - 1)] += 1
        self._longest_ns = max(self._longest_ns, duration_ns)

    def _wait(self) -> None:
        if self._read_fd < 0:
            time.sleep(_POLL_S)
            return
        readable, _, _ = select.select([self._read_fd], [], [], _IDLE_S)
        if readable:
            os.read(self._read_fd, 4_096)


def _wake_pipe() -> tuple[int, int]:
    if sys.platform == "win32":
        return -1, -1
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    return reading, writing
