"""The audit log: what was enrolled, used, refused and revoked; entries chained by hashes, nothing is ever taken out.

SQLite holds the entries. Each hash covers the entry and the hash before it, so that a change shows; a note of the last
entry, signed with the installation's key, lies beside the database, so that an end that was cut off shows too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from vcfx_models.data_folder import data_folder
from vcfx_models.errors import ConsentError
from vcfx_models.whole_file import replace_file

from .consent import format_time
from .keys import own_key

Detail = dict[str, str | int | float | bool | list[str]]
FIRST_HASH: Final = "0" * 64
PATIENCE_S: Final = 10.0
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS entries (
  number INTEGER PRIMARY KEY, at TEXT NOT NULL, event TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the log: its number from 1, the time in UTC, the event, what belongs to it, the chain's hash."""

    number: int
    at: str
    event: str
    detail: Detail
    hash: str


def log_path() -> Path:
    """Return where the log is."""
    return data_folder() / "papers" / "audit.sqlite"


def head_path() -> Path:
    """Return where the signed note of the last entry is."""
    return data_folder() / "papers" / "audit.head"


def append(event: str, detail: Detail, now: datetime | None = None) -> None:
    """Add an entry; safe among processes.

    Raises
    ------
    ConsentError
        If the log cannot be written, or does not hold what its signed note says.
    """
    at, text = format_time(now or datetime.now(UTC)), json.dumps(detail, sort_keys=True)
    log_path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _opened() as log:
        log.executescript(_TABLE)
        log.execute("BEGIN IMMEDIATE")
        number, before = _last(log)
        link = _link(before, number + 1, at, event, text)
        log.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", (number + 1, at, event, text, link))
        log.execute("COMMIT")
    _note_head(number + 1, link)


def entries(first: int = 1) -> Iterator[AuditEntry]:
    """Give the entries from number `first` on; none if there is no log."""
    if not log_path().exists():
        return
    with _opened() as log:
        found = log.execute(
            "SELECT number, at, event, detail, hash FROM entries WHERE number >= ? ORDER BY number", (first,)
        )
        for number, at, event, text, link in found:
            try:
                detail = json.loads(text)
            except ValueError:
                detail = {"damaged": str(text)}
            yield AuditEntry(int(number), str(at), str(event), detail, str(link))


def check_chain() -> int:
    """Return how many entries the log has, after every link was found good.

    Raises
    ------
    ConsentError
        Naming the first entry that does not fit, or what is missing.
    """
    check_head()
    if not log_path().exists():
        return 0
    before, count = FIRST_HASH, 0
    with _opened() as log:
        for number, at, event, text, link in log.execute(
            "SELECT number, at, event, detail, hash FROM entries ORDER BY number"
        ):
            count += 1
            if number != count or link != _link(before, number, at, event, text):
                raise ConsentError(f"{log_path()}: entry {count} was changed or taken out")
            before = link
    return count


def check_head() -> str:
    """Return the time of the last entry, empty if there is none; refuse a log that lost entries. Takes no time.

    Raises
    ------
    ConsentError
        If the installation has a key but no log, or the log does not hold the entry that its signed note names.
    """
    key = own_key()
    if not log_path().exists():
        if key is not None or head_path().exists():
            raise ConsentError(
                f"{log_path()}: the audit log is missing; without it the voices of people are not used "
                f"(to start anew, remove {log_path().parent}: voices enrolled so far then count as foreign)"
            )
        return ""
    noted = _noted_head()
    with _opened() as log:
        if noted is not None:
            number, link = noted
            row = log.execute("SELECT hash FROM entries WHERE number = ?", (number,)).fetchone()
            if row is None or row[0] != link:
                raise ConsentError(f"{log_path()}: entry {number} was changed or taken out")
        row = log.execute("SELECT at FROM entries ORDER BY number DESC LIMIT 1").fetchone()
    return "" if row is None else str(row[0])


def knows_revoked(consent_id: str) -> bool:
    """Whether the log says that a consent was taken back, whatever became of the list."""
    return any(entry.event == "revoked" and entry.detail.get("consent") == consent_id for entry in entries())


@contextlib.contextmanager
def _opened() -> Iterator[sqlite3.Connection]:
    path = log_path()
    log = None
    try:
        log = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
        yield log
    except (sqlite3.Error, OSError) as error:
        raise ConsentError(f"{path}: the audit log cannot be read or written: {error}") from None
    finally:
        if log is not None:
            log.close()


def _last(log: sqlite3.Connection) -> tuple[int, str]:
    row = log.execute("SELECT number, hash FROM entries ORDER BY number DESC LIMIT 1").fetchone()
    return (0, FIRST_HASH) if row is None else (int(row[0]), str(row[1]))


def _link(before: str, number: int, at: str, event: str, text: str) -> str:
    return hashlib.sha256(json.dumps([before, number, at, event, text]).encode()).hexdigest()


def _noted_head() -> tuple[int, str] | None:
    """Return number and hash of the entry that the signed note names; None before there is a key."""
    key, path = own_key(), head_path()
    if key is None:
        return None
    try:
        number, link, signature = path.read_text().split()
        if key.public.verifies(bytes.fromhex(signature), f"vcfx head {number} {link}".encode()):
            return int(number), link
    except FileNotFoundError:
        return None  # between the making of the key and the first entry after it
    except (OSError, ValueError):
        pass
    raise ConsentError(f"{path}: the signed note of the audit log's last entry is damaged or forged")


def _note_head(number: int, link: str) -> None:
    """Sign what the last entry is. Of two processes the later one wins, and an older note is still true."""
    key = own_key()
    if key is None:
        return
    text = f"vcfx head {number} {link}"
    try:
        replace_file(head_path(), f"{number} {link} {key.sign(text.encode()).hex()}\n".encode())
    except OSError as error:
        raise ConsentError(f"{head_path()}: cannot be written: {error.strerror or error}") from None
