"""The audit log: what was enrolled, used, refused and revoked; entries chained by hashes, nothing is ever taken out.

Each entry's hash covers the entry and the hash before it, so that a change shows; what the last one is, is signed with
the installation's key, so that an end that was cut off shows too. Whoever has the key, or puts an older copy of key and
log back together, can cheat: the log is a record that an honest owner can rely on, no seal against its owner.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vcfx_models.errors import ConsentError

from . import audit_database as database
from .audit_database import FIRST_HASH, MAX_DETAIL, Head
from .consent import format_time
from .folder import locked_papers, papers_folder
from .keys import SigningKey, key_path, own_key, place_key

__all__ = [
    "FIRST_HASH",
    "AuditEntry",
    "Detail",
    "append",
    "append_all",
    "chain_hash",
    "check_chain",
    "check_head",
    "entries",
    "install",
    "knows_revoked",
    "log_path",
]

Detail = dict[str, str | int | float | bool | list[str]]
_PAGE = 1_000
_known: dict[tuple[str, int, int, str], frozenset[tuple[str, str]]] = {}


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
    return papers_folder() / "audit.sqlite"


def install() -> SigningKey:
    """Return the installation's key; if there is none, begin the log and make one. Safe among processes.

    The log is there before the key, so that a key without a log is a loss.

    Raises
    ------
    ConsentError
        If either cannot be written, or only one of the two is there.
    """
    found = own_key()
    if found is not None:
        return found
    with locked_papers():
        found = own_key()
        if found is not None:
            return found
        key = SigningKey.new()
        with database.opened(log_path(), makes=True) as log:
            log.execute("BEGIN IMMEDIATE")
            if not database.is_new(log):
                raise _key_missing()
            database.begin(log, key, format_time(datetime.now(UTC)))
            log.execute("COMMIT")
        place_key(key)
        return key


def append(event: str, detail: Detail, now: datetime | None = None) -> None:
    """Add an entry; safe among processes. See `append_all`."""
    append_all([(event, detail)], now)


def append_all(events: Sequence[tuple[str, Detail]], now: datetime | None = None) -> None:
    """Add entries, all or none; safe among processes.

    Times never go back in the log: where the clock did, the entry has the time of the one before, and the detail
    ``clock`` has what the clock said.

    Raises
    ------
    ConsentError
        If the log cannot be written, or is not as it was signed.
    """
    clock = format_time(now or datetime.now(UTC))
    with locked_papers():
        key = install()
        with _reading("BEGIN IMMEDIATE") as (log, head):
            at, link, revoked = max(clock, head.at), head.hash, head.revoked
            for number, (event, detail) in enumerate(events, head.number + 1):
                text = json.dumps(detail if at == clock else detail | {"clock": clock}, sort_keys=True)
                if len(text) > MAX_DETAIL:
                    raise ConsentError(f"an entry of the audit log has {len(text)} characters; allowed: {MAX_DETAIL}")
                row = database.entry_row(link, number, at, event, text)
                log.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", row)
                link, revoked = row[4], database.revoked_hash(revoked, row)
            database.write_head(log, key, Head(head.number + len(events), at, link, revoked))
            log.execute("COMMIT")


def entries(first: int = 1) -> Iterator[AuditEntry]:
    """Give the entries from number `first` on, unchecked; none if there is no log. Others may write meanwhile."""
    while _is_there():
        with database.opened(log_path()) as log:
            page = [] if own_key() is None and database.is_new(log) else database.rows(log, first, _PAGE)
        for number, at, event, text, link in page:
            yield AuditEntry(number, at, event, _detail(text), link)
        if len(page) < _PAGE:
            return
        first = page[-1][0] + 1


def chain_hash(before: str, entry: AuditEntry) -> str:
    """Return the hash that an entry must have after the one with the hash `before`; the first follows `FIRST_HASH`."""
    text = json.dumps(entry.detail, sort_keys=True)
    return database.entry_row(before, entry.number, entry.at, entry.event, text)[4]


def check_chain() -> int:
    """Return how many entries the log has, after every link was found good.

    Raises
    ------
    ConsentError
        Naming the first entry that does not fit, or what is missing.
    """
    with _reading() as (log, head):
        count, before, revoked = 0, FIRST_HASH, FIRST_HASH
        while page := database.rows(log, count + 1 if count else database.LEAST_NUMBER, _PAGE):
            for row in page:
                count += 1
                if row[0] != count or row != database.entry_row(before, *row[:4]):
                    raise ConsentError(f"{log_path()}: entry {count} was changed or taken out")
                before, revoked = row[4], database.revoked_hash(revoked, row)
        if (count, before, revoked) != (head.number, head.hash, head.revoked):
            raise ConsentError(f"{log_path()}: the audit log does not end as it was signed")
        return count


def check_head() -> str:
    """Return the time of the last entry, empty if there is none; refuse a log that lost entries. Takes no time.

    Raises
    ------
    ConsentError
        If the installation has a key but no log, or a log but no key, or the log does not end as it was signed.
    """
    with _reading() as (_, head):
        return head.at


def knows_revoked(consent_id: str, issuer: str = "") -> bool:
    """Whether the log says that a consent was taken back, whatever became of the list.

    Parameters
    ----------
    consent_id
        Of the voice's consent.
    issuer
        64 hexadecimal digits of the voice's issuer. Entries that name the signer of a notice count only if it is this
        one; those that name none were written by this installation for itself, and count for all.

    Raises
    ------
    ConsentError
        As in `check_head`, or if a revocation was changed.
    """
    with _reading() as (log, head):
        if not head.number:
            return False
        found = _taken_back(log, head)
        return (consent_id, "") in found or (consent_id, issuer) in found


def _taken_back(log: sqlite3.Connection, head: Head) -> frozenset[tuple[str, str]]:
    """Return consent and issuer of all revocations; kept while the file is as it was, as each voice in a list asks."""
    path = log_path()
    state = path.stat()
    key = (str(path), state.st_mtime_ns, state.st_size, head.revoked)
    kept = _known.get(key)
    if kept is None:
        details = map(_detail, database.revocations(log, head, path))
        kept = frozenset((str(it.get("consent", "")), str(it.get("issuer", ""))) for it in details)
        _known.clear()
        _known[key] = kept
    return kept


@contextlib.contextmanager
def _reading(begin: str = "BEGIN") -> Iterator[tuple[sqlite3.Connection, Head]]:
    """Open the log in a transaction and check its head; where nothing was ever written, both are empty."""
    path, key = log_path(), own_key()
    if not _is_there():
        if key is not None:
            raise ConsentError(
                f"{path}: the audit log is missing; without it the voices of people are not used "
                f"(to start anew, remove {path.parent}: voices enrolled so far then count as foreign)"
            )
        with database.opened_empty() as nothing:
            yield nothing
        return
    with database.opened(path) as log:
        log.execute(begin)
        is_new = database.is_new(log)
        key = own_key()  # as it was placed before the second entry was written, none is missed
        if key is not None:
            yield log, database.read_head(log, key, path)
        elif is_new:
            with database.opened_empty() as nothing:
                yield nothing
        else:
            raise _key_missing()


def _is_there() -> bool:
    try:
        return log_path().exists()
    except OSError as error:
        raise ConsentError(f"{log_path()}: cannot be read: {error.strerror or error}") from None


def _key_missing() -> ConsentError:
    return ConsentError(
        f"{key_path()}: the installation's key is missing, though the audit log tells of one; put it back "
        f"(to start anew, remove {log_path().parent}: voices enrolled so far then count as foreign)"
    )


def _detail(text: str) -> Detail:
    try:
        detail = json.loads(text)
    except (ValueError, RecursionError):
        detail = None
    return detail if isinstance(detail, dict) else {"damaged": text[:1_000]}
