"""How much a client of the web API may ask for."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep one client from taking the server from the others.

    Parameters
    ----------
    body_bytes, body_seconds
        Longest request body, and how long it may take to arrive.
    requests_per_second, request_burst
        HTTP requests and new WebSockets of one address.
    token_tries_per_second, token_try_burst
        Wrong tokens of one address; further ones are refused unread.
    live_clients
        WebSockets at the same time.
    live_message_bytes, live_messages_per_second, live_message_burst
        One WebSocket's messages; faster ones wait in the client.
    live_pending
        Messages of one WebSocket that are not answered yet.
    live_send_seconds
        A client that takes nothing for so long is dropped.
    answer_seconds
        How long a POST waits for its outcome.
    """

    body_bytes: int = 65_536
    body_seconds: float = 10.0
    requests_per_second: float = 200.0
    request_burst: int = 400
    token_tries_per_second: float = 0.2
    token_try_burst: int = 5
    live_clients: int = 16
    live_message_bytes: int = 65_536
    live_messages_per_second: float = 120.0
    live_message_burst: int = 240
    live_pending: int = 64
    live_send_seconds: float = 10.0
    answer_seconds: float = 60.0


class Allowance:
    """So many a second on average, and up to `burst` at once."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._left = float(burst)
        self._at = clock()

    def wait_seconds(self) -> float:
        """Return how long until one more may be taken; 0 for at once."""
        now = self._clock()
        self._left = min(float(self._burst), self._left + (now - self._at) * self._per_second)
        self._at = now
        return max(0.0, (1.0 - self._left) / self._per_second)

    def take(self) -> None:
        """Count one."""
        self._left -= 1.0


class AllowanceByAddress:
    """One `Allowance` for each address, the latest `MAX_ADDRESSES` of them."""

    MAX_ADDRESSES = 1_024

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._new = partial(Allowance, per_second, burst, clock)
        self._known: OrderedDict[str, Allowance] = OrderedDict()

    def of(self, address: str) -> Allowance:
        """Return an address's allowance."""
        allowance = self._known.get(address)
        if allowance is None:
            allowance = self._known[address] = self._new()
            if len(self._known) > self.MAX_ADDRESSES:
                self._known.popitem(last=False)
        self._known.move_to_end(address)
        return allowance
