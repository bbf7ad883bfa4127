"""The OSC end of a running voice."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import selectors
import socket
import threading
import time
from concurrent.futures import Future
from typing import Any, Final

from vcfx.control.live_state import LiveState
from vcfx.control.messages import Outcome, Refused
from vcfx.control.surface import ControlSurface
from vcfx.control.wake import Wake
from vcfx.errors import ControlError

from .addresses import Arguments, message_for
from .feedback import Subscriber, meters_message, state_values
from .packet import OscRequest, read_packet, write_bundles, write_message

#: Where a datagram came from or goes to, as sockets give it.
Place = tuple[Any, ...]

MOST_PENDING: Final = 256
MOST_SUBSCRIBERS: Final = 16
MOST_LATER: Final = 1_000
LATEST_S: Final = 60.0
LEASE_S: Final = 30.0
LONGEST_LEASE_S: Final = 600.0
METERS_HZ: Final = 10.0
MOST_METERS_HZ: Final = 60.0
#: States follow each other no faster: a fader that is moved changes the state hundreds of times a second.
STATE_S: Final = 0.02
_DATAGRAM_BYTES: Final = 65_536
_QUEUE_BYTES: Final = 1 << 20
_END_S: Final = 5.0


class OscServer:
    """Turns OSC messages into messages to a voice, and tells those who subscribe how it is.

    Outcomes go back as ``/vcfx/applied`` (address, block or -1, milliseconds, note) and ``/vcfx/refused`` (sentence,
    address). What is not OSC is passed over in silence. Nothing on the wire is secret or proves who sent it: whoever
    can reach the port controls the voice.

    Parameters
    ----------
    surface
        What is controlled.
    host, port
        Where to listen; port 0 takes a free one.
    reply
        Host and port that every answer goes to; without it each goes to whom it concerns.

    Raises
    ------
    ControlError
        If the port cannot be opened or a host is not known.
    """

    def __init__(self, surface: ControlSurface, host: str, port: int, reply: tuple[str, int] | None = None) -> None:
        self._surface = surface
        family, place = _resolved(host, port)
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._reply = None if reply is None else _resolved(*reply, family)[1]
            self._socket.bind(place)
        except OSError as error:
            self._socket.close()
            raise ControlError(f"OSC port {port} on {host} cannot be opened: {error.strerror}") from None
        except ControlError:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE_BYTES)  # as far as the system allows
        #: Packets that were not OSC.
        self.passed_over = 0
        self._pending: set[object] = set()
        self._later: list[tuple[float, int, OscRequest, Place]] = []
        self._order = itertools.count()
        self._subscribers: dict[Place, Subscriber] = {}
        self._stale = False
        self._next_state_s = 0.0
        self._ending = False
        self._wake = Wake()
        self._unwatch = surface.watch(self._changed)
        self._thread = threading.Thread(target=self._serve, name="vcfx osc", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Stop listening."""
        self._ending = True
        self._wake.ring()
        self._thread.join(_END_S)

    def __enter__(self) -> OscServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _changed(self, _state: LiveState) -> None:
        self._stale = True
        self._wake.ring()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._ending:
                for key, _ in selector.select(self._patience_s()):
                    self._wake.hush() if key.fileobj is self._wake else self._receive()
                with contextlib.suppress(Exception):  # a surface that fails must not end the thread
                    self._run_later()
                    self._tell_subscribers()
        self._unwatch()
        self._socket.close()
        self._wake.close()

    def _patience_s(self) -> float | None:
        """Return how long nothing is due: time tags count in the world's time, the rest in the machine's."""
        due_s = min((min(who.next_meters_s, who.until_s) for who in self._subscribers.values()), default=math.inf)
        if self._stale and self._subscribers:
            due_s = min(due_s, self._next_state_s)
        later_s = self._later[0][0] - time.time() if self._later else math.inf
        patience_s = min(later_s, due_s - time.monotonic())
        return max(0.0, patience_s) if math.isfinite(patience_s) else None

    def _receive(self) -> None:
        try:
            data, sender = self._socket.recvfrom(_DATAGRAM_BYTES)
        except OSError:  # nothing after all; or, on Windows, an answer that did not arrive
            return
        try:
            requests = read_packet(data)
        except ControlError:
            self.passed_over += 1
            return
        for request in requests:
            if request.due_s <= time.time():
                self._act(request, sender)
            else:
                self._keep(request, sender)

    def _keep(self, request: OscRequest, sender: Place) -> None:
        if request.due_s - time.time() > LATEST_S:
            self._refuse(f"the time is more than {LATEST_S:g} seconds ahead", request.address, sender)
        elif len(self._later) >= MOST_LATER:
            self._refuse(f"{MOST_LATER} messages wait for their time already", request.address, sender)
        else:
            heapq.heappush(self._later, (request.due_s, next(self._order), request, sender))

    def _run_later(self) -> None:
        while self._later and self._later[0][0] <= time.time():
            _, _, request, sender = heapq.heappop(self._later)
            self._act(request, sender)

    def _act(self, request: OscRequest, sender: Place) -> None:
        try:
            if request.address == "/vcfx/subscribe":
                self._subscribe(request.arguments, sender)
            elif request.address == "/vcfx/unsubscribe":
                self._subscribers.pop(self._reply or sender, None)
            else:
                self._submit(request, sender)
        except ControlError as error:
            self._refuse(str(error), request.address, sender)

    def _submit(self, request: OscRequest, sender: Place) -> None:
        message = message_for(request.address, request.arguments)
        if message is None:
            return
        if len(self._pending) >= MOST_PENDING:
            raise ControlError(f"{MOST_PENDING} OSC messages wait already")
        ticket = object()
        self._pending.add(ticket)

        def settled(done: Future[Outcome]) -> None:
            self._pending.discard(ticket)
            outcome = done.result()
            if isinstance(outcome, Refused):
                self._refuse(outcome.reason, request.address, sender)
                return
            block = -1 if outcome.block is None else outcome.block
            facts = (request.address, block, float(outcome.waited_ms), outcome.note)
            self._send(write_message("/vcfx/applied", *facts), sender)

        self._surface.submit(message).add_done_callback(settled)

    def _subscribe(self, arguments: Arguments, sender: Place) -> None:
        lease_s, rate_hz = _lease(arguments)
        place = self._reply or sender
        if place not in self._subscribers and len(self._subscribers) >= MOST_SUBSCRIBERS:
            raise ControlError(f"{MOST_SUBSCRIBERS} OSC clients have subscribed already")
        now_s = time.monotonic()
        self._subscribers[place] = Subscriber(now_s + lease_s, 1.0 / rate_hz if rate_hz else math.inf, now_s)
        self._send(write_message("/vcfx/subscribed", lease_s, rate_hz), sender)
        self._stale = True

    def _tell_subscribers(self) -> None:
        now_s = time.monotonic()
        for place in [place for place, who in self._subscribers.items() if who.until_s <= now_s]:
            del self._subscribers[place]
        if self._stale and self._subscribers and now_s >= self._next_state_s:
            self._stale = False
            self._next_state_s = now_s + STATE_S
            values = state_values(self._surface.state())
            for place, who in self._subscribers.items():
                for packet in write_bundles(who.news(values)):
                    self._send(packet, place)
        due = [place for place, who in self._subscribers.items() if who.meters_due(now_s)]
        if due:
            packet = meters_message(self._surface.meters())
            for place in due:
                self._send(packet, place)

    def _refuse(self, reason: str, address: str, sender: Place) -> None:
        self._send(write_message("/vcfx/refused", reason, address), sender)

    def _send(self, packet: bytes, place: Place) -> None:
        with contextlib.suppress(OSError):  # nobody there, or the network is busy: OSC promises nothing
            self._socket.sendto(packet, self._reply or place)


def _lease(arguments: Arguments) -> tuple[float, float]:
    """Return for how long and how often: both may be left out."""
    given = [value for value in arguments if isinstance(value, int | float) and not isinstance(value, bool)]
    lease_s, rate_hz = (*map(float, given), *(LEASE_S, METERS_HZ)[len(given) :])[:2]
    if len(given) != len(arguments) or len(given) > 2 or not 1 <= lease_s <= LONGEST_LEASE_S:
        raise ControlError(f"/vcfx/subscribe takes seconds (1 to {LONGEST_LEASE_S:g}) and meters a second")
    if not (rate_hz == 0 or 1 <= rate_hz <= MOST_METERS_HZ):
        raise ControlError(f"meters a second are {rate_hz:g}; allowed: 0, or 1 to {MOST_METERS_HZ:g}")
    return lease_s, rate_hz


def _resolved(host: str, port: int, family: int = 0) -> tuple[int, Place]:
    try:
        found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        raise ControlError(f"there is no host {ascii(host)[:80]}") from None
    return found[0][0], found[0][4]
