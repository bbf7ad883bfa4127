"""The audit log as text that anybody can check: one JSON object a line, then one that signs the end.

An entry is ``{"number", "at", "event", "detail", "hash"}``. Its hash is the SHA-256, in hexadecimal, of the JSON text
of the list [hash before (64 zeros for the first), number, at, event, detail], where detail stands as its own JSON text
with sorted keys; JSON as Python's ``json.dumps`` writes it. The last line is ``{"entries", "hash", "public_key",
"signature"}``: Ed25519 over ``vcfx audit export``, a line feed and ``ENTRIES HASH``; key and signature are empty where
there is no key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from vcfx_models.errors import ConsentError

from . import audit
from .keys import PublicKey, own_key

MAX_LINE: Final = 1_000_000
_ENTRY: Final = ("number", "at", "event", "detail", "hash")
_END: Final = ("entries", "hash", "public_key", "signature")


@dataclass(frozen=True, slots=True)
class CheckedExport:
    """An export whose chain is unbroken.

    Parameters
    ----------
    entries
        How many it holds.
    hash
        Of the last one.
    signer
        The key that signed the end; None if nobody did.
    """

    entries: int
    hash: str
    signer: PublicKey | None


def exported_lines() -> Iterator[str]:
    """Give the lines of an export.

    Raises
    ------
    ConsentError
        If the log is damaged or cannot be read.
    """
    audit.check_chain()
    count, link = 0, audit.FIRST_HASH
    for entry in audit.entries():
        count, link = entry.number, entry.hash
        yield json.dumps(asdict(entry), sort_keys=True)
    key = own_key()
    public = "" if key is None else key.public.raw.hex()
    signature = "" if key is None else key.sign(_end_message(count, link)).hex()
    yield json.dumps({"entries": count, "hash": link, "public_key": public, "signature": signature})


def check_lines(lines: Iterable[str], file: str) -> CheckedExport:
    """Check an export, wherever it was made.

    Parameters
    ----------
    lines
        Of the file.
    file
        How errors name it.

    Raises
    ------
    ConsentError
        Naming the first line that does not fit, or what is missing.
    """
    count, link, end = 0, audit.FIRST_HASH, None
    for line in lines:
        found = _parsed(line, f"{file}: line {count + 1}")
        if end is not None:
            raise ConsentError(f"{file}: something follows the line that signs the end")
        if sorted(found) == sorted(_END):
            end = found
            continue
        if sorted(found) != sorted(_ENTRY) or found["number"] != count + 1 or found["hash"] != _link(link, found):
            raise ConsentError(f"{file}: entry {count + 1} was changed or taken out")
        count, link = count + 1, found["hash"]
    if end is None:
        raise ConsentError(f"{file}: the line that signs the end is missing; entries may have been cut off")
    if end["entries"] != count or end["hash"] != link:
        raise ConsentError(f"{file}: holds {count} entries; signed are {str(end['entries'])[:20]}: some were taken out")
    return CheckedExport(count, link, _signer(end, file))


def _link(before: str, entry: dict[str, Any]) -> str:
    return audit.chain_hash(before, audit.AuditEntry(**entry))


def _signer(end: dict[str, Any], file: str) -> PublicKey | None:
    if end["public_key"] == "":
        return None
    try:
        key, signature = PublicKey(bytes.fromhex(end["public_key"])), bytes.fromhex(end["signature"])
    except (ValueError, TypeError, ConsentError):
        raise ConsentError(f"{file}: key or signature of the end cannot be read") from None
    if not key.verifies(signature, _end_message(end["entries"], end["hash"])):
        raise ConsentError(f"{file}: the signature of the end does not fit")
    return key


def _end_message(entries: int, link: str) -> bytes:
    return f"vcfx audit export\n{entries} {link}".encode()


def _parsed(line: str, place: str) -> dict[str, Any]:
    try:
        found = json.loads(line) if len(line) <= MAX_LINE else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ConsentError(f"{place}: is no entry of an audit log")
    return found
