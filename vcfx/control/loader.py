"""A background thread for what takes longer than a person at a key should wait: plans, voices."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]


class Loader:
    """Does the newest urgent job first, then chores in order. Jobs must not raise. Thread: any."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._urgent: tuple[object, Job] | None = None
        self._chores: deque[Job] = deque()
        self._running = True
        self._thread = threading.Thread(target=self._run, name="vcfx-loader", daemon=True)
        self._thread.start()

    def urgent(self, what: object, job: Job) -> object | None:
        """Do a job next; returns what an earlier one was for that had not begun and now never will."""
        with self._wake:
            replaced, self._urgent = self._urgent, (what, job)
            self._wake.notify()
        return replaced[0] if replaced else None

    def chore(self, job: Job) -> None:
        """Do a job when there is time."""
        with self._wake:
            self._chores.append(job)
            self._wake.notify()

    def close(self) -> None:
        """Begin nothing more, and wait a while for the job that runs."""
        with self._wake:
            self._running = False
            self._wake.notify()
        self._thread.join(5.0)

    def _run(self) -> None:
        while True:
            with self._wake:
                while self._running and self._urgent is None and not self._chores:
                    self._wake.wait()
                if not self._running:
                    return
                job = self._next()
            job()

    def _next(self) -> Job:
        if self._urgent is not None:
            job, self._urgent = self._urgent[1], None
            return job
        return self._chores.popleft()
