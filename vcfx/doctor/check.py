"""One finding of `vcfx doctor`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "missing", "optional"]
Need = Literal["files", "live", "extra"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and how it is mended.

    Attributes
    ----------
    name
        What was looked at.
    status
        ``ok``; ``missing`` for what a job needs; ``optional`` for what would only improve it.
    detail
        What was found, in a few words.
    need
        The job that cannot be done without it: files, live, or an extra.
    mend
        The command that mends it, empty where all is well.
    """

    name: str
    status: Status
    detail: str
    need: Need = "extra"
    mend: str = ""


def verdict(name: str, is_good: bool, detail: str, need: Need = "extra", mend: str = "") -> Check:
    """Return a check that is ok, or else missing (for a job) or optional (for an extra)."""
    if is_good:
        return Check(name, "ok", detail, need)
    return Check(name, "optional" if need == "extra" else "missing", detail, need, mend)


@dataclass(frozen=True, slots=True)
class ChildResult:
    """How a child process ended: `failure` is empty where all went well."""

    output: str
    failure: str


def run_child(*arguments: str, timeout_s: float) -> ChildResult:
    """Run Python in a child process: what crashes or hangs there does not take the doctor along."""
    command = [sys.executable, *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=timeout_s, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return ChildResult("", f"no answer within {timeout_s:g} s")
    except OSError as error:
        return ChildResult("", f"Python could not be started: {error}")
    if done.returncode < 0 and os.name == "posix":
        return ChildResult(done.stdout, f"killed by {signal.Signals(-done.returncode).name}")
    last_words = [line.strip() for line in done.stderr.splitlines() if line.strip()][-1:]
    failure = "" if done.returncode == 0 else " ".join(last_words) or f"exit code {done.returncode}"
    return ChildResult(done.stdout, failure)
