"""Whether converted voices are marked, and under which key: on and the public one, unless the audit log says otherwise.

There is no file to edit: the last word in the log counts, and only if the whole chain of the log is good.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from vcfx.errors import ControlError
from vcfx_dsp.watermark.key import WatermarkKey
from vcfx_models.errors import ConsentError
from vcfx_models.papers import audit
from vcfx_models.papers.keys import own_key

from .keys import keep_key, kept_key

TURNED_ON: Final = "watermark_on"
TURNED_OFF: Final = "watermark_off"
KEY_CHANGED: Final = "watermark_key"
#: What the log calls the key that everybody knows.
PUBLIC: Final = "public"
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
        Why the log does not count, so that it is on and the key public whatever it says; empty if all is well.
    key
        Fingerprint of the private key that marks; empty for the public one.
    """

    on: bool
    since: str = ""
    reason: str = ""
    problem: str = ""
    key: str = ""


def mark_setting() -> MarkSetting:
    """Return what the audit log says; one that is damaged or cannot be read means on, and the public key.

    Thread: any that may wait.
    """
    try:
        last, key = _READER.last_words()
        is_on = last is None or last.event == TURNED_ON
        if is_on and not key:
            return MarkSetting(True, last.at if last else "")
        if own_key() is None:
            return MarkSetting(True, problem=f"{audit.log_path()}: the audit log is not signed by this installation")
        audit.check_chain()  # as long as the log is, while the mark is off or private: that is the price of being sure
        if key and is_on:
            kept_key(key)
    except (ConsentError, ControlError, OSError) as error:
        return MarkSetting(True, problem=str(error))
    reason = "" if last is None else str(last.detail.get("reason", ""))
    return MarkSetting(is_on, last.at if last else "", "" if is_on else reason, key=key)


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


def use_key(key: WatermarkKey | None) -> MarkSetting:
    """Mark under a private key, kept here from now on, or under the public one again; the log tells when.

    In force from the next start or change of preset on. Files marked before stay as they are.

    Parameters
    ----------
    key
        The key; None for the public one.

    Raises
    ------
    ControlError
        If the key cannot be kept.
    ConsentError
        If the log is damaged or cannot be written: then all stays as it is.
    """
    audit.install()
    audit.check_chain()
    if key is not None:
        keep_key(key)
    audit.append(KEY_CHANGED, {"key": PUBLIC if key is None else key.fingerprint})
    return mark_setting()


class _Reader:
    """Finds the last words on the mark; of a log that it knows, it reads only what is new.

    Thread: any that may wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._path = ""
        self._seen: audit.AuditEntry | None = None
        self._switch: audit.AuditEntry | None = None
        self._key = ""

    def last_words(self) -> tuple[audit.AuditEntry | None, str]:
        """Return the entry that turned the mark on or off last, and the private key's fingerprint."""
        with self._lock:
            path = str(audit.log_path())
            if self._seen is None or path != self._path or not self._is_known(self._seen):
                self._path, self._seen, self._switch, self._key = path, None, None, ""
            for entry in audit.entries(self._seen.number if self._seen is not None else 1):
                self._seen = entry
                if entry.event in (TURNED_ON, TURNED_OFF):
                    self._switch = entry
                elif entry.event == KEY_CHANGED:
                    key = str(entry.detail.get("key", PUBLIC))
                    self._key = "" if key == PUBLIC else key
            return self._switch, self._key

    def _is_known(self, seen: audit.AuditEntry) -> bool:
        """Whether the log still holds what was read last."""
        first = next(audit.entries(seen.number), None)
        return first is not None and first.hash == seen.hash


_READER: Final = _Reader()
