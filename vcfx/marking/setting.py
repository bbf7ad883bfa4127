"""Whether converted voices are marked: on, unless the audit log says that it was turned off.

There is no file to edit: the last word in the log counts, and only if the whole chain of the log is good.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from vcfx.errors import ControlError
from vcfx_models.errors import ConsentError
from vcfx_models.papers import audit
from vcfx_models.papers.keys import own_key

TURNED_ON: Final = "watermark_on"
TURNED_OFF: Final = "watermark_off"
MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class MarkSetting:
    """Whether converted voices are marked.

    Parameters
    ----------
    on
        Whether they are.
    since
        When that was said, in UTC; empty if nobody ever has.
    reason
        Why it was turned off; empty where it is on.
    problem
        Why the log does not count, so that it is on whatever it says; empty if all is well.
    """

    on: bool
    since: str = ""
    reason: str = ""
    problem: str = ""


def mark_setting() -> MarkSetting:
    """Return what the audit log says; a log that is damaged or cannot be read means on. Thread: any that may wait."""
    try:
        last = _READER.last_switch()
        if last is None or last.event == TURNED_ON:
            return MarkSetting(True, last.at if last else "")
        if own_key() is None:
            return MarkSetting(True, problem=f"{audit.log_path()}: the audit log is not signed by this installation")
        audit.check_chain()  # as long as the log is, while the mark is off: that is the price of being sure
    except (ConsentError, OSError) as error:
        return MarkSetting(True, problem=str(error))
    return MarkSetting(False, last.at, str(last.detail.get("reason", "")))


def switch_mark(on: bool, reason: str = "") -> MarkSetting:
    """Turn the mark on or off from the next start or change of preset on; the log tells when and why.

    Parameters
    ----------
    on
        What is wanted.
    reason
        One line; needed to turn it off.

    Raises
    ------
    ControlError
        If the reason is missing, too long, or more than one line.
    ConsentError
        If the log is damaged or cannot be written: then all stays as it is, which means on.
    """
    if not on and not reason.strip():
        raise ControlError("turning the watermark off needs a reason, which is kept in the audit log; give --reason")
    if len(reason) > MAX_REASON or not reason.isprintable():
        raise ControlError(f"the reason has {len(reason)} characters; allowed: one line of at most {MAX_REASON}")
    audit.install()
    audit.check_chain()
    audit.append(TURNED_ON if on else TURNED_OFF, {"reason": reason} if reason else {})
    return mark_setting()


class _Reader:
    """Finds the last word on the mark; of a log that it knows, it reads only what is new. Thread: any that may wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._path = ""
        self._seen: audit.AuditEntry | None = None
        self._switch: audit.AuditEntry | None = None

    def last_switch(self) -> audit.AuditEntry | None:
        with self._lock:
            path = str(audit.log_path())
            if self._seen is None or path != self._path or not self._is_known(self._seen):
                self._path, self._seen, self._switch = path, None, None
            for entry in audit.entries(self._seen.number if self._seen is not None else 1):
                self._seen = entry
                if entry.event in (TURNED_ON, TURNED_OFF):
                    self._switch = entry
            return self._switch

    def _is_known(self, seen: audit.AuditEntry) -> bool:
        """Whether the log still holds what was read last."""
        first = next(audit.entries(seen.number), None)
        return first is not None and first.hash == seen.hash


_READER: Final = _Reader()
