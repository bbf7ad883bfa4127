"""The answer to one message, given once, from whichever thread knows it."""

from __future__ import annotations

import time
from concurrent.futures import Future

from .messages import Applied, Outcome, Refused


class Reply:
    """Fulfils a future with an outcome; a second answer is ignored."""

    def __init__(self) -> None:
        self.future: Future[Outcome] = Future()
        self.future.set_running_or_notify_cancel()  # nobody can take back what is on its way
        self._arrived_s = time.perf_counter()

    def applied(self, block: int | None, note: str = "") -> None:
        """Say that the message has taken effect, now."""
        waited_ms = 1e3 * (time.perf_counter() - self._arrived_s)
        self.give(Applied(block, waited_ms, note))

    def refused(self, reason: str) -> None:
        """Say why the message was not carried out."""
        self.give(Refused(reason))

    def give(self, outcome: Outcome) -> None:
        """Answer, unless that has been done."""
        if not self.future.done():
            self.future.set_result(outcome)
