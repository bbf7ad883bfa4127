"""The answer to one message, given once."""

from __future__ import annotations

import time
from concurrent.futures import Future

from .messages import Applied, Outcome, Refused


class Outbox:
    """Answers that wait until the state shows what they tell. Thread: control."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Future[Outcome], Outcome]] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, future: Future[Outcome], outcome: Outcome) -> None:
        """Keep an answer for the next `send`."""
        self._waiting.append((future, outcome))

    def send(self) -> None:
        """Give all answers; a second one to the same message is ignored."""
        waiting, self._waiting = self._waiting, []
        for future, outcome in waiting:
            if not future.done():
                future.set_result(outcome)


class Reply:
    """The way back to whoever sent a message. Thread: control, after it was made."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
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
        self._outbox.put(self.future, outcome)
