"""The system's keyboard through pynput, where there is one that programs may listen to."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from vcfx.errors import ControlError

from .combination import NAMED

#: Called with a key and whether it went down.
Told = Callable[[str, bool], None]
_READY_S: Final = 3.0
_LEFT_ONES: Final = {"ctrl": "ctrl_l", "alt": "alt_l", "shift": "shift_l", "cmd": "cmd_l"}


class Keyboard(Protocol):
    """Something that tells of keys until it is stopped or fails."""

    def is_alive(self) -> bool:
        """Whether it still listens."""
        ...

    def stop(self) -> None:
        """Stop listening."""
        ...


def unavailable(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """Return why this system has no global hotkeys, as one sentence; empty if nothing speaks against them."""
    instead = "bind keys of the desktop to 'vcfx send' instead"
    if platform not in ("win32", "darwin"):
        if environment.get("WAYLAND_DISPLAY") or environment.get("XDG_SESSION_TYPE") == "wayland":
            return f"there are no global hotkeys, for Wayland lets no program listen to keys; {instead}"
        if not environment.get("DISPLAY"):
            return "there are no global hotkeys, for there is no display (DISPLAY is not set)"
    from importlib.util import find_spec

    if find_spec("pynput") is None:
        return "there are no global hotkeys, for pynput is missing; install it with: pip install vcfx-voice[hotkeys]"
    return ""


def open_keyboard(told: Told) -> Keyboard:
    """Listen to the keyboard of this session; `told` is called on a thread of its own.

    Raises
    ------
    ControlError
        Where that is not possible, as one sentence.
    """
    if reason := unavailable():
        raise ControlError(reason)
    logging.getLogger("pynput").addHandler(logging.NullHandler())  # it would write tracebacks over the display
    logging.getLogger("pynput").propagate = False
    try:
        from pynput import keyboard
    except Exception as error:  # whatever the display library raises where the display refuses
        raise ControlError(f"there are no global hotkeys, for the display does not answer: {_line(error)}") from None
    listener: Any = _quiet(keyboard.Listener)(
        on_press=lambda key: told(key_name(key), True), on_release=lambda key: told(key_name(key), False)
    )
    listener.daemon = True
    listener.start()
    waiting = threading.Thread(target=listener.wait, daemon=True)
    waiting.start()
    waiting.join(_READY_S)
    if waiting.is_alive():  # it never says that it has failed
        raise ControlError("there are no global hotkeys, for the system does not let this program listen to keys")
    return _Listening(listener)


def key_name(key: Any) -> str:
    """Return our name of a key of pynput's; empty for one without."""
    name = getattr(key, "name", None)
    if isinstance(name, str):
        name = _LEFT_ONES.get(name, name)
        return name if name in NAMED else ""
    sign, number = getattr(key, "char", None), getattr(key, "vk", None)
    if isinstance(sign, str) and len(sign) == 1 and sign.isprintable():
        return sign.lower()
    letter_or_digit = isinstance(number, int) and chr(number & 0xFF).isalnum() and 0x30 <= number <= 0x5A
    return chr(number).lower() if letter_or_digit and isinstance(number, int) else ""  # Windows: ctrl hides the sign


class _Listening:
    def __init__(self, listener: Any) -> None:
        self._listener = listener

    def is_alive(self) -> bool:
        return bool(self._listener.is_alive())

    def stop(self) -> None:
        with contextlib.suppress(Exception):  # the display may be gone
            self._listener.stop()


def _quiet(listener: Any) -> Any:
    """Return a listener whose thread just ends where the display goes away."""

    def run(self: Any) -> None:
        with contextlib.suppress(Exception):
            listener.run(self)

    return type("QuietListener", (listener,), {"run": run})


def _line(error: Exception) -> str:
    return ascii(str(error).splitlines()[0] if str(error) else type(error).__name__)[1:-1][:160]
