"""The other end of the control socket: a control surface in another process than the voice."""

from __future__ import annotations

import contextlib
import itertools
import json
import selectors
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Final

from vcfx.control.live_state import Catalogue, LiveState, Meters
from vcfx.control.messages import Message, Outcome, Refused
from vcfx.control.state_wire import catalogue_from_json, meters_from_json, state_from_json
from vcfx.control.wake import Wake
from vcfx.control.wire import message_to_json, outcome_from_json
from vcfx.errors import ControlError

from .lines import LineSocket, from_line, to_line
from .place import ControlAddress
from .protocol import ENDED, MOST_ANSWER_BYTES, PROTOCOL
from .transport import connect

#: How long a question may go unanswered; devices take longest.
ANSWER_S: Final = 5.0
CATALOGUE_S: Final = 20.0
_CONNECT_S: Final = 2.0
_MOST_WAITING_BYTES: Final = 1 << 20


class RemoteControl:
    """Controls a voice that runs in another process of the same user; a `ControlSurface`. Thread: any.

    Outcomes and callbacks come on this object's own thread. `state`, `meters` and `catalogue` wait for an answer (a
    fraction of a millisecond for the first two) and raise `ControlError` when the voice has ended.

    Parameters
    ----------
    address
        One of `running()`.

    Raises
    ------
    ControlError
        If nobody answers there, or somebody who is not to be understood.
    """

    def __init__(self, address: ControlAddress) -> None:
        self.address = address
        #: Set when the voice has ended, or `close` was called.
        self.closed = threading.Event()
        self._greeted: Future[Mapping[str, Any]] = Future()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._pending: dict[int, Future[Mapping[str, Any]]] = {}
        self._watchers: list[Callable[[LiveState], None]] = []
        self._followers: list[Callable[[Meters], None]] = []
        self._spectra = 0
        try:
            connection = connect(address, _CONNECT_S)
        except OSError as error:
            reason = ENDED if isinstance(error, ConnectionRefusedError | FileNotFoundError) else "does not answer"
            raise ControlError(f"vcfx {address.name}: {reason}") from None
        self._lines = LineSocket(connection, MOST_ANSWER_BYTES, _MOST_WAITING_BYTES)
        self._wake = Wake()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._lines, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._listen, name="vcfx remote control", daemon=True)
        self._thread.start()
        self._check_greeting()

    def submit(self, message: Message) -> Future[Outcome]:
        """Send a message; the future holds `Applied` or `Refused`. Never blocks."""
        outcome: Future[Outcome] = Future()

        def settled(answered: Future[Mapping[str, Any]]) -> None:
            outcome.set_result(_outcome(answered.result()))

        self._request({"do": "submit", "message": message_to_json(message)}).add_done_callback(settled)
        return outcome

    def state(self) -> LiveState:
        """Return the present state."""
        return state_from_json(self._ask("state"))

    def meters(self) -> Meters:
        """Return the present levels and counters."""
        return meters_from_json(self._ask("meters"))

    def catalogue(self) -> Catalogue:
        """Return what can be chosen; may take seconds."""
        return catalogue_from_json(self._ask("catalogue", timeout_s=CATALOGUE_S))

    def watch(self, changed: Callable[[LiveState], None]) -> Callable[[], None]:
        """Call back after every change; returns what ends it."""
        self._watchers.append(changed)
        self._ask("watch", on=True)

        def end() -> None:
            if changed in self._watchers:
                self._watchers.remove(changed)
            if not self._watchers:
                self._request({"do": "watch", "on": False})

        return end

    def follow_meters(self, told: Callable[[Meters], None], rate_hz: float = 25.0) -> Callable[[], None]:
        """Call back with the meters `rate_hz` times a second (up to 60; the newest wish counts); returns the end."""
        self._followers.append(told)
        self._ask("follow", rate_hz=rate_hz)

        def end() -> None:
            if told in self._followers:
                self._followers.remove(told)
            if not self._followers:
                self._request({"do": "follow", "rate_hz": 0})

        return end

    def want_spectra(self, wanted: bool) -> None:
        """Count one more (or one fewer) who draws spectra."""
        with self._lock:
            before = self._spectra
            self._spectra = max(0, before + (1 if wanted else -1))
            changed = (before > 0) != (self._spectra > 0)
        if changed:
            self._request({"do": "spectra", "on": self._spectra > 0})

    def close(self) -> None:
        """Leave; what still waits is refused."""
        self.closed.set()
        self._wake.ring()
        if threading.current_thread() is not self._thread:
            self._thread.join(_CONNECT_S)

    def __enter__(self) -> RemoteControl:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_greeting(self) -> None:
        greeting = _waited(self._greeted, _CONNECT_S)
        if greeting.get("control") == PROTOCOL:
            return
        self.close()
        reason = str(greeting.get("error", f"version {greeting.get('vcfx')} speaks another language; end it"))
        raise ControlError(f"vcfx {self.address.name}: {reason}")

    def _request(self, request: dict[str, Any]) -> Future[Mapping[str, Any]]:
        """Send a request; the future holds the answering object, with ``error`` where there is no answer."""
        done: Future[Mapping[str, Any]] = Future()
        number = next(self._numbers)
        with self._lock:
            ended = self.closed.is_set()
            if not ended:
                self._pending[number] = done
        if ended:
            done.set_result({"error": ENDED})
            return done
        try:
            self._lines.send(to_line({"id": number, **request}))
        except (OSError, ValueError) as error:  # closed, full, or a number that JSON does not have
            if self._pending.pop(number, None) is not None:
                done.set_result({"error": str(error) if isinstance(error, ValueError) else ENDED})
        if self._lines.waits:
            self._wake.ring()
        return done

    def _ask(self, what: str, timeout_s: float = ANSWER_S, **fields: Any) -> Any:
        answer = self._request({"do": what, **fields})
        if threading.current_thread() is self._thread:  # in a callback: nobody else reads the answer
            end_s = time.monotonic() + timeout_s
            while not answer.done() and time.monotonic() < end_s and not self.closed.is_set():
                self._turn(end_s - time.monotonic())
            timeout_s = 0.0
        found = _waited(answer, timeout_s)
        if "error" in found:
            raise ControlError(str(found["error"]))
        return found.get("answer")

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while not self.closed.is_set():
                self._turn(None)
        with self._lock:
            self.closed.set()
            left, self._pending = list(self._pending.values()), {}
        self._selector.close()
        self._lines.close()
        self._wake.close()
        for done in [*left, self._greeted]:
            if not done.done():
                done.set_result({"error": ENDED})

    def _turn(self, timeout_s: float | None) -> None:
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._lines.waits else 0)
        self._selector.modify(self._lines, wanted)
        for key, events in self._selector.select(timeout_s):
            if key.fileobj is self._wake:
                self._wake.hush()
                continue
            if events & selectors.EVENT_WRITE:
                self._lines.flush()
            if events & selectors.EVENT_READ:
                for line in self._lines.receive():
                    self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            found = from_line(line)
        except ControlError:
            raise ConnectionError("the other end is no vcfx") from None
        number = found.get("id")
        if isinstance(number, int):
            done = self._pending.pop(number, None)
            if done is not None:
                done.set_result(found)
        elif "state" in found:
            _tell(self._watchers, lambda: state_from_json(found["state"]))
        elif "meters" in found:
            _tell(self._followers, lambda: meters_from_json(found["meters"]))
        elif not self._greeted.done():
            self._greeted.set_result(found)


def _outcome(answer: Mapping[str, Any]) -> Outcome:
    if "error" in answer:
        return Refused(str(answer["error"]))
    try:
        return outcome_from_json(answer["answer"])
    except (KeyError, TypeError):
        return Refused(f"the answer is not to be understood: {json.dumps(answer)[:100]}")


def _waited(answer: Future[Mapping[str, Any]], timeout_s: float) -> Mapping[str, Any]:
    try:
        return answer.result(timeout_s)
    except TimeoutError:
        return {"error": "the voice changer does not answer"}


def _tell(told: list[Callable[[Any], None]], read: Callable[[], Any]) -> None:
    with contextlib.suppress(ControlError):  # of another version: what it cannot tell is left out
        found = read()
        for callback in list(told):
            with contextlib.suppress(Exception):  # a client's own mistake must not end the connection
                callback(found)
