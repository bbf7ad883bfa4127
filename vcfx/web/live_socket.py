"""`WS /api/live`: messages in, outcomes, states and meters out.

The server sends ``{"kind": "state", "state": {...}}`` at the start and after every change, ``{"kind": "meters",
"meters": {...}}`` many times a second, ``{"kind": "outcome", "id": ..., "outcome": {...}}`` to every message, and
``{"kind": "error", "error": "..."}`` to what it cannot read. The client sends ``{"kind": "message", "id": ...,
"message": {"type": ...}}`` and ``{"kind": "meters", "rate_hz": 25, "spectra": true}`` (0: none).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from vcfx.control import wire
from vcfx.control.messages import Outcome, PushToTalk, Refused
from vcfx.control.surface import ControlSurface
from vcfx.errors import ControlError

from .api_routes import parsed
from .limits import Allowance, Limits
from .live_feed import LiveFeed

DEFAULT_METERS_HZ: Final = 25.0
MAX_METERS_HZ: Final = 60.0
_STATES_PER_SECOND: Final = 30.0
_TOO_MANY: Final = 1013
_TOO_SLOW: Final = 1008


async def serve_live_socket(socket: WebSocket, surface: ControlSurface, feed: LiveFeed, limits: Limits) -> None:
    """Serve one client until it goes, is too slow, or is one too many."""
    await socket.accept()
    if feed.clients >= limits.live_clients:
        await socket.close(_TOO_MANY, f"there are {limits.live_clients} clients already")
        return
    feed.clients += 1
    client = _LiveClient(socket, surface, feed, limits)
    try:
        await client.serve()
    finally:
        feed.clients -= 1


class _LiveClient:
    """One WebSocket: a task that reads and one that writes, so that a slow reader holds up only itself."""

    def __init__(self, socket: WebSocket, surface: ControlSurface, feed: LiveFeed, limits: Limits) -> None:
        self._socket = socket
        self._surface = surface
        self._feed = feed
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._allowance = Allowance(limits.live_messages_per_second, limits.live_message_burst)
        self._pending = asyncio.Semaphore(limits.live_pending)
        self._due = asyncio.Event()
        self._answers: deque[str] = deque()
        self._state_is_new = True
        self._meters_hz = DEFAULT_METERS_HZ
        self._spectra = False
        self._holds_talk = False

    async def serve(self) -> None:
        unsubscribe = self._feed.subscribe(self._note_state)
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            unsubscribe()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._holds_talk:  # nobody is left to let the talk key go
                self._surface.submit(PushToTalk(False))
            if self._spectra:
                self._surface.want_spectra(False)
        for task in tasks:
            if not task.cancelled() and isinstance(task.exception(), TimeoutError):
                with contextlib.suppress(RuntimeError, TimeoutError):
                    await asyncio.wait_for(self._socket.close(_TOO_SLOW, "too slow"), 0.1)

    async def _read(self) -> None:
        while True:
            event = await self._socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            text = event.get("text")
            await asyncio.sleep(self._allowance.wait_seconds())  # too fast: wait, and the client's own queue fills
            self._allowance.take()
            if text is None or len(text) > self._limits.live_message_bytes:
                self._answer(_error("a message is a text of at most 65536 bytes"))
                continue
            try:
                await self._take(parsed(text))
            except ControlError as error:
                self._answer(_error(str(error)))

    async def _take(self, frame: Any) -> None:
        match frame:
            case {"kind": "message", "message": document, **rest} if rest.keys() <= {"id"}:
                await self._submit(_checked_id(rest.get("id")), document)
            case {"kind": "meters", **wishes} if wishes.keys() <= {"rate_hz", "spectra"}:
                self._choose_meters(wishes)
            case _:
                raise ControlError("a frame is {kind: message, id, message} or {kind: meters, rate_hz, spectra}")

    async def _submit(self, identity: str | int | None, document: Any) -> None:
        await self._pending.acquire()
        try:
            message = wire.message_from_json(document)
        except ControlError as error:
            self._settle(identity, Refused(str(error)))
            return
        if isinstance(message, PushToTalk):
            self._holds_talk = message.held

        def done(future: Future[Outcome]) -> None:
            outcome = Refused("the message was dropped") if future.cancelled() else future.result()
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._settle, identity, outcome)

        self._surface.submit(message).add_done_callback(done)

    def _settle(self, identity: str | int | None, outcome: Outcome) -> None:
        self._pending.release()
        self._answer(json.dumps({"kind": "outcome", "id": identity, "outcome": wire.outcome_to_json(outcome)}))

    def _choose_meters(self, wishes: Mapping[Any, Any]) -> None:
        rate_hz, spectra = wishes.get("rate_hz", self._meters_hz), wishes.get("spectra", self._spectra)
        number = isinstance(rate_hz, int | float) and not isinstance(rate_hz, bool)
        if not number or not (rate_hz == 0 or 1 <= rate_hz <= MAX_METERS_HZ):
            raise ControlError(f"rate_hz is {ascii(rate_hz)[:60]}; allowed: 0, or 1 to {MAX_METERS_HZ:g}")
        if not isinstance(spectra, bool):
            raise ControlError(f"spectra is {ascii(spectra)[:60]}; allowed: true or false")
        self._meters_hz = float(rate_hz)
        if spectra is not self._spectra:
            self._spectra = spectra
            self._surface.want_spectra(spectra)
        self._due.set()

    def _answer(self, text: str) -> None:
        self._answers.append(text)
        self._due.set()

    def _note_state(self) -> None:
        self._state_is_new = True
        self._due.set()

    async def _write(self) -> None:
        state_at = meters_at = 0.0
        while True:
            while self._answers:
                await self._send(self._answers.popleft())
            now = time.monotonic()
            if self._state_is_new and now >= state_at:
                self._state_is_new = False
                state_at = now + 1.0 / _STATES_PER_SECOND
                await self._send(_frame("state", await self._feed.latest_state_json()))
            if self._meters_hz and now >= meters_at:
                # the next one by the clock, not by when this one went out; but never two to catch up
                meters_at = max(meters_at + 1.0 / self._meters_hz, now)
                await self._send(_frame("meters", await self._feed.meters_json(self._spectra)))
            await self._wait(state_at, meters_at)

    async def _wait(self, state_at: float, meters_at: float) -> None:
        """Wait for an answer to send, or for the time of what is due next."""
        due = [meters_at] if self._meters_hz else []
        due += [state_at] if self._state_is_new else []
        if self._answers or (due and min(due) <= time.monotonic()):
            return
        self._due.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(due) - time.monotonic() if due else None):
                await self._due.wait()

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._limits.live_send_seconds):
                await self._socket.send_text(text)
        except WebSocketDisconnect:
            raise asyncio.CancelledError from None


def _checked_id(identity: object) -> str | int | None:
    if identity is None or (isinstance(identity, str | int) and len(str(identity)) <= 100):
        return identity
    raise ControlError("the id of a message is a whole number or a text of at most 100 characters")


def _error(sentence: str) -> str:
    return json.dumps({"kind": "error", "error": sentence})


def _frame(kind: str, content: bytes) -> str:
    return f'{{"kind":"{kind}","{kind}":{content.decode()}}}'
