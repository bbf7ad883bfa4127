"""Worker processes: a decoder that crashes or hangs costs one file, and nothing half-written stays behind."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from vcfx.errors import VcfxError

from .renderer import RendererSource
from .result import Result
from .worker import Progress, Task, Unusable, work

#: A worker that is silent for so long is taken to hang: it reports ten times a second, but may compile a graph first.
STALL_LIMIT_S = 300.0
_END_LIMIT_S = 1.0


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    index: int | None = None
    heard: float = 0.0


class WorkerPool:
    """Converts files in processes of their own; a context manager, whose end stops every worker at once.

    Parameters
    ----------
    tasks
        What to convert.
    renderers
        Where each worker gets its renderers.
    workers
        How many processes, at least 1.
    stall_limit_s
        After how much silence a worker is killed.
    """

    def __init__(
        self, tasks: Sequence[Task], renderers: RendererSource, workers: int, stall_limit_s: float = STALL_LIMIT_S
    ) -> None:
        self._tasks, self._renderers = tasks, renderers
        self._waiting = deque(range(len(tasks)))
        self._size, self._stall_limit_s = max(1, min(workers, len(tasks))), stall_limit_s
        self._workers: list[_Worker] = []
        self._context = multiprocessing.get_context("spawn")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            self._bury(worker)
        self._workers.clear()

    def events(self) -> Generator[tuple[int, Progress | Result]]:
        """Yield (task's index, what happened) until every task has its `Result`.

        Raises
        ------
        VcfxError
            If the preset cannot be used at all.
        """
        while self._waiting or self._workers:
            while self._waiting and len(self._workers) < self._size:
                self._start()
            for worker in self._ready():
                yield from self._hear(worker)
            for worker in [one for one in self._workers if time.monotonic() - one.heard > self._stall_limit_s]:
                yield self._end_stalled(worker)

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=work, args=(theirs, self._renderers), daemon=True)
        with _interrupts_held_back():  # the terminal's Ctrl-C is for this process, which then ends the workers
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        self._give(worker)

    def _give(self, worker: _Worker) -> None:
        worker.heard = time.monotonic()
        if self._waiting:
            worker.index = self._waiting.popleft()
            with contextlib.suppress(OSError):  # a worker that died already is noticed when it is next heard
                worker.connection.send(self._tasks[worker.index])
            return
        worker.index = None
        with contextlib.suppress(OSError):
            worker.connection.send(None)
        self._workers.remove(worker)
        self._bury(worker, patience_s=5.0)

    def _ready(self) -> list[_Worker]:
        heard = wait([worker.connection for worker in self._workers], timeout=0.5)
        return [worker for worker in self._workers if worker.connection in heard]

    def _hear(self, worker: _Worker) -> Iterator[tuple[int, Progress | Result]]:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            yield self._end_crashed(worker)
            return
        if isinstance(message, Unusable):
            raise VcfxError(message.reason)
        worker.heard = time.monotonic()
        assert worker.index is not None
        yield worker.index, message
        if isinstance(message, Result):
            self._give(worker)

    def _end_crashed(self, worker: _Worker) -> tuple[int, Result]:
        self._workers.remove(worker)
        worker.process.join(_END_LIMIT_S)
        code = worker.process.exitcode
        self._bury(worker)
        cause = f"exit code {code}"
        if code is not None and code < 0:
            cause = next((one.name for one in signal.Signals if one == -code), f"signal {-code}")
        return self._lost(worker, f"the worker process ended with {cause} on this file", "crashed")

    def _end_stalled(self, worker: _Worker) -> tuple[int, Result]:
        self._workers.remove(worker)
        worker.process.terminate()
        self._bury(worker)
        return self._lost(worker, f"nothing happened for {self._stall_limit_s:g} s; given up", "stalled")

    def _lost(self, worker: _Worker, reason: str, kind: str) -> tuple[int, Result]:
        assert worker.index is not None
        task = self._tasks[worker.index]
        sentence = f"{task.shown_input}: {reason}"
        failed = Result(task.shown_input, task.shown_output, task.options.preset, error=sentence, error_kind=kind)
        return worker.index, failed

    def _bury(self, worker: _Worker, patience_s: float = _END_LIMIT_S) -> None:
        """Make sure that the process is gone, and its half file with it."""
        worker.process.join(patience_s)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.connection.close()
        if worker.index is not None:
            with contextlib.suppress(OSError):
                self._tasks[worker.index].part.unlink()


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold SIGINT back in this thread; a process started meanwhile never gets it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
