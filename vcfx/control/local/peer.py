"""One client of the control socket, as the running voice sees it."""

from __future__ import annotations

import contextlib
import hmac
import math
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Final

from vcfx import __version__
from vcfx.control.messages import Outcome, PushToTalk, Refused
from vcfx.control.state_wire import catalogue_to_json, meters_to_json, state_to_json
from vcfx.control.surface import ControlSurface
from vcfx.control.wire import message_from_json, outcome_to_json
from vcfx.errors import ControlError, nearest

from .errand import Errand
from .lines import LineSocket, from_line, to_line
from .protocol import MOST_ANSWER_BYTES, MOST_RATE_HZ, MOST_REQUEST_BYTES, PROTOCOL

#: Messages of one client that may wait for their outcome.
MOST_PENDING: Final = 1_000


class Peer:
    """Answers one client's requests. Used by the server's thread; outcomes are sent from the surface's.

    Parameters
    ----------
    token
        What the client must say first; empty: nothing.
    look
        Fetches the catalogue without keeping the server's thread.
    wake
        Called when the server's thread must look after this client.
    """

    def __init__(
        self, connection: socket.socket, token: str, surface: ControlSurface, look: Errand, wake: Callable[[], None]
    ) -> None:
        self.lines = LineSocket(connection, MOST_REQUEST_BYTES, MOST_ANSWER_BYTES)
        self.watches = False
        self.owes_state = False
        self.spectra = False
        self.broken = False
        self._holds_talk = False
        self.next_meters_s = math.inf
        self._period_s = math.inf
        self._token = token
        self._surface = surface
        self._look = look
        self._wake = wake
        self._pending: set[object] = set()
        self._answers: dict[str, Callable[[Mapping[str, Any]], object]] = {
            "state": lambda _: state_to_json(surface.state()),
            "meters": lambda _: self.meters(),
            "watch": self._watch,
            "spectra": self._want_spectra,
            "follow": self._follow,
        }

    @property
    def trusted(self) -> bool:
        """Whether the client has said the token, if there is one."""
        return not self._token

    def greet(self) -> None:
        """Say who is here, once the client is trusted."""
        if self.trusted:
            self.push(to_line({"vcfx": __version__, "control": PROTOCOL}))

    def receive(self) -> None:
        """Answer what the client has asked; raises OSError when it is gone or has broken the rules."""
        for line in self.lines.receive():
            if self._token:
                self._check(line)
            else:
                self._answer(line)

    def push(self, line: bytes) -> None:
        """Send a line; a client that is gone is marked, for the server's thread to drop."""
        try:
            self.lines.send(line)
        except OSError:
            self.broken = True
        if self.broken or self.lines.waits:
            self._wake()

    def meters(self) -> dict[str, Any]:
        """Return the meters as this client wants them: another's spectra are not for it."""
        found = meters_to_json(self._surface.meters())
        return found if self.spectra else found | {"input_spectrum_db": [], "output_spectrum_db": []}

    def meters_pushed(self, now_s: float) -> None:
        """Note that meters went out (or were left out): the next are due a period later."""
        self.next_meters_s = max(self.next_meters_s + self._period_s, now_s)

    def close(self) -> None:
        """Forget the client."""
        self.lines.close()
        if self._holds_talk and self.watches:  # who only sent a message (`vcfx send`) comes back for the release
            self._surface.submit(PushToTalk(False))
        if self.spectra:
            self.spectra = False
            self._surface.want_spectra(False)

    def _check(self, line: bytes) -> None:
        with contextlib.suppress(ControlError):
            said = from_line(line).get("token")
            if isinstance(said, str) and hmac.compare_digest(said.encode(), self._token.encode()):
                self._token = ""
                self.greet()
                return
        raise ConnectionRefusedError("a wrong token")

    def _answer(self, line: bytes) -> None:
        request: dict[str, Any] = {}
        try:
            request = from_line(line)
            identity = request.get("id")
            if isinstance(identity, bool) or not isinstance(identity, int) or abs(identity) >= 1 << 53:
                raise ControlError("a request has the field 'id', a whole number")
            self._carry_out(identity, request)
        except ControlError as error:
            self.push(to_line({"id": _identity(request), "error": str(error)}))

    def _carry_out(self, identity: int, request: Mapping[str, Any]) -> None:
        what = request.get("do")
        if what == "submit":
            self._submit(identity, request.get("message"))
        elif what == "catalogue":
            self._look.run(lambda found: self.push(_catalogue_line(identity, found)))
        elif isinstance(what, str) and what in self._answers:
            self.push(to_line({"id": identity, "answer": self._answers[what](request)}))
        else:
            known = ("submit", "catalogue", *self._answers)
            raise ControlError(f"there is nothing to do called {ascii(what)[:60]}{nearest(str(what)[:60], known)}")

    def _submit(self, identity: int, document: object) -> None:
        def settled(done: Future[Outcome]) -> None:
            self._pending.discard(ticket)
            self._send_outcome(identity, done.result())

        try:
            message = message_from_json(document)
        except ControlError as error:
            self._send_outcome(identity, Refused(str(error)))
            return
        if len(self._pending) >= MOST_PENDING:
            self._send_outcome(identity, Refused(f"{MOST_PENDING} messages of this client wait already"))
            return
        if isinstance(message, PushToTalk):
            self._holds_talk = message.held
        ticket = object()
        self._pending.add(ticket)
        self._surface.submit(message).add_done_callback(settled)

    def _send_outcome(self, identity: int, outcome: Outcome) -> None:
        self.push(to_line({"id": identity, "answer": outcome_to_json(outcome)}))

    def _watch(self, request: Mapping[str, Any]) -> None:
        self.watches = _flag(request)
        self.owes_state = False

    def _want_spectra(self, request: Mapping[str, Any]) -> None:
        wanted = _flag(request)
        if wanted != self.spectra:
            self.spectra = wanted
            self._surface.want_spectra(wanted)

    def _follow(self, request: Mapping[str, Any]) -> None:
        rate_hz = request.get("rate_hz")
        if isinstance(rate_hz, bool) or not isinstance(rate_hz, int | float) or not 0 <= rate_hz <= MOST_RATE_HZ:
            raise ControlError(f"rate_hz is {ascii(rate_hz)[:60]}; allowed: 0 to {MOST_RATE_HZ:g}")
        self._period_s = 1.0 / rate_hz if rate_hz > 0 else math.inf
        self.next_meters_s = time.monotonic() if rate_hz > 0 else math.inf


def _flag(request: Mapping[str, Any]) -> bool:
    on = request.get("on")
    if not isinstance(on, bool):
        raise ControlError(f"on is {ascii(on)[:60]}; allowed: true or false")
    return on


def _identity(request: Mapping[str, Any]) -> int | None:
    identity = request.get("id")
    return identity if isinstance(identity, int) and abs(identity) < 1 << 53 else None


def _catalogue_line(identity: int, found: Any) -> bytes:
    if found is None:
        return to_line({"id": identity, "error": "the devices cannot be looked for"})
    return to_line({"id": identity, "answer": catalogue_to_json(found)})
