"""A slow question, asked once for everyone who wants its answer meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable

from vcfx.control.live_state import Catalogue
from vcfx.control.surface import ControlSurface

Told = Callable[[Catalogue | None], None]


class Errand:
    """Asks a surface for its catalogue on a thread of its own. Thread: any."""

    def __init__(self, surface: ControlSurface) -> None:
        self._surface = surface
        self._waiting: list[Told] = []
        self._lock = threading.Lock()

    def run(self, told: Told) -> None:
        """Call back, on another thread, with the catalogue; with None where looking for it failed."""
        with self._lock:
            self._waiting.append(told)
            under_way = len(self._waiting) > 1
        if not under_way:
            threading.Thread(target=self._fetch, name="vcfx catalogue", daemon=True).start()

    def _fetch(self) -> None:
        try:
            found = self._surface.catalogue()
        except Exception:  # whatever a driver does while devices are looked for must reach those who wait
            found = None
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for told in waiting:
            told(found)
