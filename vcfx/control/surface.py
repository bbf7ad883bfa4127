"""The one surface that all clients of a running voice use."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from .live_state import Catalogue, LiveState, Meters
from .messages import Message, Outcome


class ControlSurface(Protocol):
    """Takes messages from any thread and carries them out one after the other on a thread of its own.

    In the engine's process it is `LiveControl`; in another one `RemoteControl`, over the local control socket. Clients
    need not know which.
    """

    def submit(self, message: Message) -> Future[Outcome]:
        """Queue a message; the future holds `Applied` or `Refused` and never an exception. Never blocks."""
        ...

    def state(self) -> LiveState:
        """Return the present state."""
        ...

    def meters(self) -> Meters:
        """Return the present levels and counters; costs the audio thread nothing."""
        ...

    def catalogue(self) -> Catalogue:
        """Return what can be chosen; may take a second (devices are looked for)."""
        ...

    def watch(self, changed: Callable[[LiveState], None]) -> Callable[[], None]:
        """Call back, on a thread of the surface, after every change; returns what ends it."""
        ...

    def want_spectra(self, wanted: bool) -> None:
        """Count one more (or one fewer) client that draws spectra; without any they are not computed."""
        ...
