"""A child process that ends with its parent, and whose plugin's chatter disturbs nobody."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from io import TextIOWrapper
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LOOK_EVERY_S: Final = 0.5


def die_with_parent(parent: int) -> None:
    """End this process when the one with the id `parent` is gone, even by ``kill -9``.

    Linux does it by itself; elsewhere a thread looks twice a second.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it went before we asked
            os._exit(1)
    elif hasattr(os, "getppid"):
        threading.Thread(target=_watch, args=(parent,), name="parent watch", daemon=True).start()


def hush() -> None:
    """Send what is printed from now on, by C code too, nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def speak_privately() -> TextIOWrapper:
    """Return what the standard output was; what others print from now on goes nowhere."""
    private = os.dup(1)
    hush()
    return TextIOWrapper(os.fdopen(private, "wb"), encoding="utf-8")


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os._exit(1)
