"""State and meters as JSON for all clients together: made once, however many look."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from vcfx.control.live_state import LiveState, Meters
from vcfx.control.surface import ControlSurface

from .schemas import CATALOGUE, METERS, STATE

#: Meters and catalogue are not asked for more often than this.
_METERS_FRESH_S = 0.008
_CATALOGUE_FRESH_S = 1.0


class LiveFeed:
    """Holds the latest state, and tells those who `subscribe` that there is a newer one. Thread: the event loop's."""

    def __init__(self, surface: ControlSurface) -> None:
        #: WebSockets that are open.
        self.clients = 0
        self._surface = surface
        self._wakers: set[Callable[[], None]] = set()
        self._state: tuple[LiveState, bytes] | None = None
        self._meters: tuple[float, Meters] | None = None
        self._meters_made: dict[bool, bytes] = {}
        self._meters_lock = asyncio.Lock()
        self._catalogue: tuple[float, bytes] | None = None
        self._catalogue_lock = asyncio.Lock()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Follow the surface's changes; to be entered in the event loop that the clients live in."""
        loop = asyncio.get_running_loop()

        def changed(state: LiveState) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._note, state)

        end = self._surface.watch(changed)
        try:
            yield
        finally:
            end()

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called after every change; returns what ends it."""
        self._wakers.add(wake)
        return lambda: self._wakers.discard(wake)

    def _note(self, state: LiveState) -> None:
        self._state = state, b""
        for wake in tuple(self._wakers):
            wake()

    async def asked_state_json(self) -> bytes:
        """Return the state after everything that has been answered so far."""
        return STATE.dump_json(await asyncio.to_thread(self._surface.state), warnings=False)

    async def latest_state_json(self) -> bytes:
        """Return the state that was heard of last."""
        if self._state is None:
            asked = await asyncio.to_thread(self._surface.state)
            self._state = self._state or (asked, b"")
        state, made = self._state
        if not made:
            made = STATE.dump_json(state, warnings=False)
            self._state = state, made
        return made

    async def meters_json(self, spectra: bool) -> bytes:
        """Return the present meters; without spectra they are empty, whoever else wants them."""
        async with self._meters_lock:
            if self._meters is None or time.monotonic() - self._meters[0] > _METERS_FRESH_S:
                meters = await asyncio.to_thread(self._surface.meters)
                self._meters = time.monotonic(), meters
                self._meters_made = {}
            if spectra not in self._meters_made:
                meters = self._meters[1]
                shown = meters if spectra else replace(meters, input_spectrum_db=(), output_spectrum_db=())
                self._meters_made[spectra] = METERS.dump_json(shown, warnings=False)
            return self._meters_made[spectra]

    async def catalogue_json(self) -> bytes:
        """Return what can be chosen; devices are looked for at most once a second."""
        async with self._catalogue_lock:
            if self._catalogue is None or time.monotonic() - self._catalogue[0] > _CATALOGUE_FRESH_S:
                found = await asyncio.to_thread(self._surface.catalogue)
                self._catalogue = time.monotonic(), CATALOGUE.dump_json(found, warnings=False)
            return self._catalogue[1]
