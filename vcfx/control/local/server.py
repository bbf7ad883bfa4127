"""The running voice's end of the control socket."""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
import time
from typing import Final

from vcfx.control.live_state import LiveState
from vcfx.control.state_wire import state_to_json
from vcfx.control.surface import ControlSurface
from vcfx.control.wake import Wake

from .errand import Errand
from .lines import to_line
from .peer import Peer
from .place import ControlAddress
from .transport import listen, of_another_user

MOST_CLIENTS: Final = 32
#: A client that takes nothing for so long, although something waits for it, is dropped.
PATIENCE_S: Final = 5.0
#: States follow each other no faster: a knob that is turned changes the state hundreds of times a second.
STATE_S: Final = 0.02
#: A client must have said the token by then.
GREETING_S: Final = 2.0
_LOOK_ROUND_S: Final = 1.0
_BREATH_S: Final = 0.05


class ControlServer:
    """Lets other processes of the same user control a running voice, over a socket in their private folder.

    One thread serves all clients and never waits for any: who does not read loses meters first and then the
    connection; who sends what is not allowed is told so, or dropped.

    Parameters
    ----------
    surface
        What the clients control.
    name
        Name of the socket; by default the number of this process.
    tcp
        Use a loopback port with a token instead of a Unix socket, as Windows needs it.

    Raises
    ------
    ControlError
        If there is no private folder for the socket.
    """

    def __init__(self, surface: ControlSurface, name: str | None = None, *, tcp: bool = os.name == "nt") -> None:
        self._surface = surface
        self._listener = listen(str(os.getpid()) if name is None else name, tcp=tcp)
        self._listener.socket.setblocking(False)
        self._peers: dict[Peer, float] = {}  # with the time of their arrival
        self._state: LiveState | None = None  # the newest that has not been sent
        self._next_state_s = 0.0
        self._errand = Errand(surface)
        self._wake = Wake()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener.socket, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._ending = False
        self._unwatch = surface.watch(self._changed)
        self._thread = threading.Thread(target=self._serve, name="vcfx control socket", daemon=True)
        self._thread.start()

    @property
    def address(self) -> ControlAddress:
        """Where clients find this voice."""
        return self._listener.address

    def close(self) -> None:
        """Drop all clients and take the socket away."""
        self._ending = True
        self._wake.ring()
        self._thread.join(PATIENCE_S)

    def __enter__(self) -> ControlServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _changed(self, state: LiveState) -> None:
        self._state = state  # the newest is enough: the server's thread sends what is here when it gets to it
        self._wake.ring()

    def _serve(self) -> None:
        try:
            while not self._ending:
                self._turn()
        finally:
            self._unwatch()
            self._listener.close()
            for peer in list(self._peers):
                self._drop(peer)
            self._selector.close()
            self._wake.close()

    def _patience_s(self) -> float | None:
        """Return how long nothing is due; None where only a client or a change can bring something."""
        if not self._peers:
            return None
        due_s = min(peer.next_meters_s for peer in self._peers)
        if self._state is not None or any(peer.owes_state and not peer.lines.waits for peer in self._peers):
            due_s = min(due_s, self._next_state_s)
        return max(0.0, min(_LOOK_ROUND_S, due_s - time.monotonic()))

    def _turn(self) -> None:
        for key, events in self._selector.select(self._patience_s()):
            if key.fileobj is self._wake:
                self._wake.hush()
            elif isinstance(key.data, Peer):
                self._attend(key.data, events)
            else:
                self._accept()
        with contextlib.suppress(Exception):  # a surface that fails must not end the thread that serves it
            self._send_state()
            self._send_meters()
        for peer, since_s in list(self._peers.items()):
            late = not peer.trusted and time.monotonic() - since_s > GREETING_S
            if peer.broken or late or peer.lines.stuck_s() > PATIENCE_S:
                self._drop(peer)
            else:
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.lines.waits else 0)
                self._selector.modify(peer.lines, wanted, peer)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.socket.accept()
        except BlockingIOError:  # it went away again
            return
        except OSError:  # too many open files: it will be asked again at once
            time.sleep(_BREATH_S)
            return
        if of_another_user(connection):
            connection.close()
            return
        peer = Peer(connection, self._listener.token, self._surface, self._errand, self._wake.ring)
        if len(self._peers) >= MOST_CLIENTS:
            peer.push(to_line({"error": f"{MOST_CLIENTS} programs control this voice already"}))
            peer.close()
            return
        self._peers[peer] = time.monotonic()
        self._selector.register(peer.lines, selectors.EVENT_READ, peer)
        peer.greet()

    def _attend(self, peer: Peer, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                peer.lines.flush()
            if events & selectors.EVENT_READ:
                peer.receive()
        except Exception:  # gone, or broken rules; and no client may end the thread that serves the others
            peer.broken = True

    def _drop(self, peer: Peer) -> None:
        del self._peers[peer]
        with contextlib.suppress(KeyError, ValueError, OSError):
            self._selector.unregister(peer.lines)
        peer.close()

    def _send_state(self) -> None:
        now_s = time.monotonic()
        if now_s < self._next_state_s:
            return
        state, self._state = self._state, None
        if state is not None:
            for peer in self._peers:
                peer.owes_state = peer.watches
        owed = [peer for peer in self._peers if peer.owes_state and not peer.lines.waits]
        if owed:
            self._next_state_s = now_s + STATE_S
            line = to_line({"state": state_to_json(self._surface.state() if state is None else state)})
            for peer in owed:
                peer.owes_state = False
                peer.push(line)

    def _send_meters(self) -> None:
        now_s = time.monotonic()
        lines: dict[bool, bytes] = {}
        for peer in self._peers:
            if now_s < peer.next_meters_s:
                continue
            peer.meters_pushed(now_s)
            if not peer.lines.waits:  # a slow client gets fewer, not older ones
                if peer.spectra not in lines:
                    lines[peer.spectra] = to_line({"meters": peer.meters()})
                peer.push(lines[peer.spectra])
