"""The hotkeys of a live run."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from vcfx.control.messages import Message
from vcfx.control.surface import ControlSurface

from .binding import Hotkey
from .chords import Chords
from .keyboard import Keyboard, Told, open_keyboard
from .steady_keys import SteadyKeys

_LOOK_ROUND_S: Final = 1.0
_GONE: Final = "the keyboard is gone: hotkeys do nothing any more"


class HotkeyClient:
    """Sends messages when keys are pressed, whichever window has the focus.

    The keyboard's own thread only puts keys into a queue: a system waits for it with every key that anybody presses.

    Parameters
    ----------
    hotkeys
        What is listened for; nothing else is kept.
    surface
        What the messages go to.
    listen
        Opens the keyboard.

    Raises
    ------
    ControlError
        Where the system has no global hotkeys.
    """

    def __init__(
        self, hotkeys: Iterable[Hotkey], surface: ControlSurface, listen: Callable[[Told], Keyboard] = open_keyboard
    ) -> None:
        self._surface = surface
        self._chords = Chords(hotkeys)
        self._steady = SteadyKeys()
        self._heard: queue.SimpleQueue[tuple[str, bool, float] | None] = queue.SimpleQueue()
        #: Why hotkeys work no more; empty while they do.
        self.problem = ""
        self._keyboard = listen(lambda key, down: self._heard.put((key, down, time.monotonic())))
        self._thread = threading.Thread(target=self._work, name="vcfx hotkeys", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; whoever talks by a held key falls silent."""
        self._keyboard.stop()
        self._heard.put(None)
        self._thread.join(_LOOK_ROUND_S * 2)

    def __enter__(self) -> HotkeyClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _work(self) -> None:
        while not self.problem:
            patience_s = max(0.0, min(_LOOK_ROUND_S, self._steady.next_s() - time.monotonic()))
            try:
                heard = self._heard.get(timeout=patience_s)
            except queue.Empty:
                self._act(self._steady.settle(time.monotonic()))
                self.problem = "" if self._keyboard.is_alive() else _GONE
                continue
            if heard is None:
                break
            key, down, when_s = heard
            if key:
                self._act(self._steady.change(key, down, when_s))
        self._send(self._chords.let_go())

    def _act(self, happened: list[tuple[str, bool]]) -> None:
        for key, down in happened:
            self._send(self._chords.change(key, down))

    def _send(self, messages: list[Message]) -> None:
        for message in messages:
            self._surface.submit(message)
