"""Who waits to hear in which block something took effect."""

from __future__ import annotations

from collections.abc import Callable

from .reply import Reply

NO_SOUND = "no sound runs at present; it takes effect when it does"


class Acknowledgements:
    """Asks the engine's cells until they know. Thread: control."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], int | None], Reply, str]] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def wait(self, ask: Callable[[], int | None], reply: Reply, note: str = "") -> None:
        """Answer as soon as `ask` knows the block."""
        self._waiting.append((ask, reply, note))

    def poll(self, moving: bool) -> None:
        """Ask for all; where no blocks are rendered, say so instead."""
        left = []
        for ask, reply, note in self._waiting:
            block = ask()
            if block is not None:
                reply.applied(block, note)
            elif not moving:
                reply.applied(None, NO_SOUND)
            else:
                left.append((ask, reply, note))
        self._waiting = left

    def close(self) -> None:
        """Answer everybody who still waits."""
        self.poll(moving=False)
