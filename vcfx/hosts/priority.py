"""Threads that sound waits for run ahead of ordinary ones."""

from __future__ import annotations

import contextlib
import os
from typing import Final

_PRIORITY: Final = 5  # the audio thread still comes first


def ask_for_real_time() -> None:
    """Let the calling thread run ahead of ordinary threads where the system lets us."""
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))
