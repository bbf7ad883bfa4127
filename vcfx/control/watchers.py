"""Tells watchers of new states, on a thread of its own: a slow one delays nobody but itself and other watchers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from .live_state import LiveState

Watcher = Callable[[LiveState], None]


class Watchers:
    """A watcher that is slow gets the newest state and not all between. Thread: any."""

    def __init__(self) -> None:
        self._watchers: list[Watcher] = []
        self._news: LiveState | None = None
        self._wake = threading.Condition()
        self._running = True
        self._thread = threading.Thread(target=self._run, name="vcfx-watchers", daemon=True)
        self._thread.start()

    def add(self, changed: Watcher) -> Callable[[], None]:
        """Add a watcher; returns what removes it, as often as one likes."""
        with self._wake:
            self._watchers = [*self._watchers, changed]

        def remove() -> None:
            with self._wake:
                self._watchers = [watcher for watcher in self._watchers if watcher is not changed]

        return remove

    def tell(self, state: LiveState) -> None:
        """Let everybody know, soon."""
        with self._wake:
            self._news = state
            self._wake.notify()

    def close(self) -> None:
        """Tell nobody any more."""
        with self._wake:
            self._running = False
            self._wake.notify()
        self._thread.join(2.0)

    def _run(self) -> None:
        while True:
            with self._wake:
                while self._running and self._news is None:
                    self._wake.wait()
                if not self._running:
                    return
                state, self._news = self._news, None
                watchers = self._watchers
            for watcher in watchers:
                with contextlib.suppress(Exception):  # a watcher's failure is its own affair
                    assert state is not None
                    watcher(state)
