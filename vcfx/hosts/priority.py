"""Threads that sound waits for run ahead of ordinary ones."""

from __future__ import annotations

import contextlib
import os
from typing import Final

#: Of SCHED_RR, 1 to 99. Sound servers give their audio threads 10 or more: those still come first.
CONTROL_PRIORITY: Final = 2
WORKER_PRIORITY: Final = 5
DEVICE_PRIORITY: Final = 10


def ask_for_real_time(priority: int = WORKER_PRIORITY) -> None:
    """Let the calling thread run ahead of ordinary threads where the system lets us."""
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(priority))
