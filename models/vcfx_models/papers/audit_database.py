"""The SQLite file of the audit log, read as if anybody had been at it."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vcfx_models.errors import ConsentError

from .folder import PATIENCE_S
from .keys import SigningKey

FIRST_HASH: Final = "0" * 64
INSTALLED: Final = "installed"
#: Entries of this event are few, and asked for at each use of a voice: they have an index and a chain of their own.
REVOKED: Final = "revoked"
MAX_DETAIL: Final = 100_000
#: That SQLite can hold; ours begin at 1.
LEAST_NUMBER: Final = -(1 << 63)
_SCHEMA: Final = f"""
CREATE TABLE entries (
  number INTEGER PRIMARY KEY, at TEXT NOT NULL, event TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE head (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  number INTEGER NOT NULL, hash TEXT NOT NULL, revoked TEXT NOT NULL, signature TEXT NOT NULL);
CREATE INDEX revocations ON entries (number) WHERE event = '{REVOKED}';
CREATE TRIGGER no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""
_OBJECTS: Final = "SELECT type, name, sql FROM sqlite_master ORDER BY name"

#: number, time, event, detail as JSON, hash
Row = tuple[int, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Head:
    """What the last entry is, as the installation signed it: number, time, hash, and the hash over all revocations."""

    number: int
    at: str
    hash: str
    revoked: str


@contextlib.contextmanager
def opened(path: Path, makes: bool = False) -> Iterator[sqlite3.Connection]:
    """Open the log; `makes`: also if there is no file yet. What was not committed is undone.

    Raises
    ------
    ConsentError
        Whatever SQLite or the system object to, also within the block.
    """
    log = None
    try:
        uri = f"{path.absolute().as_uri()}?mode={'rwc' if makes else 'rw'}"
        log = sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None)
        log.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10 * MAX_DETAIL)
        log.execute("PRAGMA trusted_schema = OFF")
        log.execute("PRAGMA cache_spill = OFF")  # else a long transaction waits for the disk at every page
        yield log
    except (sqlite3.Error, OSError, OverflowError, UnicodeError) as error:
        reason = " ".join(str(error).split())[:200]  # SQLite may quote what is in the file
        reason = reason if reason.isprintable() else ascii(reason)
        raise ConsentError(f"{path}: the audit log cannot be read or written: {reason}") from None
    finally:
        if log is not None:
            log.close()


@contextlib.contextmanager
def opened_empty() -> Iterator[tuple[sqlite3.Connection, Head]]:
    """Open a log in which nothing is, in memory."""
    with contextlib.closing(sqlite3.connect(":memory:")) as log:
        log.executescript(_SCHEMA)
        yield log, Head(0, "", FIRST_HASH, FIRST_HASH)


def is_new(log: sqlite3.Connection) -> bool:
    """Whether nothing is in it but, maybe, that the installation began: the key may not have been placed yet."""
    found = log.execute(_OBJECTS).fetchall()
    if not found:
        return True
    return found == _expected() and [row[2] for row in rows(log, 0, 2)] in ([], [INSTALLED])


def begin(log: sqlite3.Connection, key: SigningKey, at: str) -> None:
    """Write tables, first entry and head for a new installation with that key; again if it was interrupted."""
    if not log.execute(_OBJECTS).fetchall():
        for statement in _SCHEMA.split(";\n"):
            log.execute(statement)
    if not rows(log, 0, 1):
        log.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", entry_row(FIRST_HASH, 1, at, INSTALLED, "{}"))
    number, at, _, _, link = rows(log, 0, 1)[0]
    write_head(log, key, Head(number, at, link, FIRST_HASH))


def entry_row(before: str, number: int, at: str, event: str, detail: str) -> Row:
    """Return an entry with its hash, which covers the entry and the hash before it."""
    link = hashlib.sha256(json.dumps([before, number, at, event, detail]).encode()).hexdigest()
    return number, at, event, detail, link


def revoked_hash(before: str, row: Row) -> str:
    """Return the hash over all revocations up to a row."""
    return hashlib.sha256(json.dumps([before, row[0], row[3]]).encode()).hexdigest() if row[2] == REVOKED else before


def write_head(log: sqlite3.Connection, key: SigningKey, head: Head) -> None:
    """Sign what the last entry is."""
    log.execute(
        "INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?)",
        (head.number, head.hash, head.revoked, key.sign(_message(head.number, head.hash, head.revoked)).hex()),
    )


def read_head(log: sqlite3.Connection, key: SigningKey, path: Path) -> Head:
    """Return the head, after its signature, the tables and the last entry were found good; takes no time.

    Raises
    ------
    ConsentError
        If not.
    """
    if log.execute(_OBJECTS).fetchall() != _expected():
        raise ConsentError(f"{path}: the audit log's tables are missing or were changed")
    signed = log.execute("SELECT number, hash, revoked, signature FROM head").fetchall()
    try:
        ((number, link, revoked, signature),) = signed
        genuine = key.public.verifies(bytes.fromhex(signature), _message(number, link, revoked))
    except (ValueError, TypeError):
        genuine = False
    if not genuine:
        raise ConsentError(f"{path}: the signed note of the audit log's last entry is damaged or forged")
    last = rows(log, number - 1, 3)
    before = last[0][4] if number > 1 and last else FIRST_HASH
    if [row[0] for row in last] != list(range(max(1, number - 1), number + 1)):
        raise ConsentError(f"{path}: entries at the end, about number {number}, were taken out or added")
    if last[-1] != entry_row(before, *last[-1][:4]) or last[-1][4] != link:
        raise ConsentError(f"{path}: entry {number} was changed")
    return Head(number, last[-1][1], link, revoked)


def revocations(log: sqlite3.Connection, head: Head, path: Path) -> list[str]:
    """Return the details of all revocations.

    Raises
    ------
    ConsentError
        If one was changed or taken out.
    """
    query = f"SELECT number, at, event, detail, hash FROM entries WHERE event = '{REVOKED}' ORDER BY number"
    found, link = _checked(log.execute(query).fetchall()), FIRST_HASH
    for row in found:
        link = revoked_hash(link, row)
    if link != head.revoked:
        raise ConsentError(f"{path}: a revocation was changed or taken out")
    return [row[3] for row in found]


def rows(log: sqlite3.Connection, first: int, count: int) -> list[Row]:
    """Return up to `count` entries from number `first` on."""
    query = "SELECT number, at, event, detail, hash FROM entries WHERE number >= ? ORDER BY number LIMIT ?"
    return _checked(log.execute(query, (first, count)).fetchall())


def _checked(found: list[tuple[object, ...]]) -> list[Row]:
    before = LEAST_NUMBER
    for number, *texts in found:
        if not isinstance(number, int) or number < before or not all(isinstance(text, str) for text in texts):
            raise sqlite3.DatabaseError(f"entry {number} is damaged")
        before = number + 1
    return found  # type: ignore[return-value]  # as was just checked


def _message(number: int, link: str, revoked: str) -> bytes:
    return f"vcfx head {number} {link} {revoked}".encode()


@functools.cache
def _expected() -> list[tuple[str, str, str]]:
    with opened_empty() as (log, _):
        return log.execute(_OBJECTS).fetchall()
