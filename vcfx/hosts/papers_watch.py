"""Asks about once a minute whether the voices that are spoken with may still be used."""

from __future__ import annotations

import threading
import weakref
from typing import Final, Protocol

#: How late it may be found out that a consent has ended or was taken back.
CHECK_EVERY_S: Final = 60.0


class Watched(Protocol):
    """Something that speaks with a voice."""

    def check_papers(self) -> None:
        """Ask whether it still may. Thread: any but audio and worker."""


class PapersWatch:
    """One thread for all who speak in this process. Thread: any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: weakref.WeakSet[Watched] = weakref.WeakSet()
        self._thread: threading.Thread | None = None
        self._pause = threading.Event()

    def add(self, watched: Watched) -> None:
        """Ask for one more, until it is removed or nobody holds it any more."""
        with self._lock:
            self._watched.add(watched)
            if self._thread is None or not self._thread.is_alive():  # not alive: a process that was forked off
                self._thread = threading.Thread(target=self._run, name="vcfx-papers", daemon=True)
                self._thread.start()

    def remove(self, watched: Watched) -> None:
        """Ask no more for one."""
        with self._lock:
            self._watched.discard(watched)

    def check(self) -> None:
        """Ask for all, now."""
        with self._lock:
            watched = list(self._watched)
        for one in watched:
            one.check_papers()

    def _run(self) -> None:
        while not self._pause.wait(CHECK_EVERY_S):
            self.check()


WATCH: Final = PapersWatch()
