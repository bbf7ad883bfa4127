"""Consent taken back: notices signed by who issued the voice, or by this installation for itself."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from vcfx_models.errors import ConsentError
from vcfx_models.one_line import is_one_line
from vcfx_models.regular_file import read_regular_file
from vcfx_models.whole_file import replace_file

from . import audit
from .bundle import Papers
from .consent import MAX_TEXT, parse_time
from .folder import locked_papers, make_papers_folder, papers_folder
from .keys import PublicKey, SigningKey, own_key
from .strict_json import read_json

MAX_NOTICES: Final = 10_000
MAX_BYTES: Final = 5_000_000
_HEXADECIMAL: Final = {
    "consent_id": re.compile(r"[0-9a-f]{16}"),
    "issuer": re.compile(r"[0-9a-f]{64}"),
    "signature": re.compile(r"[0-9a-f]{128}"),
}


@dataclass(frozen=True, slots=True)
class Revocation:
    """One notice.

    Parameters
    ----------
    consent_id
        Of the consent that ends.
    revoked_at
        When, in UTC.
    reason
        One line, may be empty.
    issuer
        64 hexadecimal digits of the public key that signed the notice.
    signature
        128 hexadecimal digits.

    Raises
    ------
    ConsentError
        Naming what is not allowed; the signature is not checked.
    """

    consent_id: str
    revoked_at: str
    reason: str
    issuer: str
    signature: str

    def __post_init__(self) -> None:
        for name, pattern in _HEXADECIMAL.items():
            if not pattern.fullmatch(getattr(self, name)):
                raise ConsentError(f"a notice's {name} is {getattr(self, name)[:40]!r}; allowed: hexadecimal digits")
        parse_time(self.revoked_at, "a notice's time")
        if not is_one_line(self.reason, 0, MAX_TEXT):
            raise ConsentError(f"a notice's reason is {self.reason[:40]!r}; allowed: one line of at most {MAX_TEXT}")

    def is_genuine(self) -> bool:
        """Whether the signature fits."""
        key = PublicKey(bytes.fromhex(self.issuer))
        return key.verifies(bytes.fromhex(self.signature), _message(self.consent_id, self.revoked_at, self.reason))

    def concerns(self, papers: Papers, own: PublicKey | None) -> bool:
        """Whether it ends the consent in those papers: only their issuer, or this installation, can say so."""
        if self.consent_id != papers.consent.consent_id:
            return False
        speakers = [papers.issuer, *([] if own is None else [own])]
        return self.issuer in [key.raw.hex() for key in speakers] and self.is_genuine()


def revoke(consent_id: str, revoked_at: str, reason: str, key: SigningKey) -> Revocation:
    """Return a signed notice."""
    signature = key.sign(_message(consent_id, revoked_at, reason))
    return Revocation(consent_id, revoked_at, reason, key.public.raw.hex(), signature.hex())


def revocations_path() -> Path:
    """Return where notices are kept."""
    return papers_folder() / "revoked.json"


def read_notices(path: Path) -> list[Revocation]:
    """Return the notices in a file that came from elsewhere.

    Raises
    ------
    ConsentError
        If it is damaged, cannot be read, or holds one that is not genuine.
    """
    notices = _read(path)
    for notice in notices:
        if not notice.is_genuine():
            raise ConsentError(f"{path}: the notice on {notice.consent_id!r} is not signed by whom it names")
    return notices


def kept_revocations() -> list[Revocation]:
    """Return the notices that this installation keeps; their signatures are for `Revocation.concerns` to check.

    Raises
    ------
    ConsentError
        If the list is damaged or cannot be read.
    """
    try:
        return _read(revocations_path())
    except FileNotFoundError:
        return []


def keep_revocations(new: Sequence[Revocation]) -> None:
    """Add notices to those that are kept. The audit log tells of those of others first, so that none can be unmade.

    Raises
    ------
    ConsentError
        If one is not genuine, or they cannot be kept.
    """
    for notice in new:
        if not notice.is_genuine():
            raise ConsentError(f"the notice on {notice.consent_id!r} is not signed by whom it names")
    with locked_papers():
        kept, own = kept_revocations(), own_key()
        known = set(kept)
        fresh = [notice for notice in dict.fromkeys(new) if notice not in known]
        if len(kept) + len(fresh) > MAX_NOTICES:
            raise ConsentError(f"{len(kept) + len(fresh)} notices are too many to keep; allowed: {MAX_NOTICES}")
        foreign = [notice for notice in fresh if own is None or notice.issuer != own.public.raw.hex()]
        if foreign:
            audit.append_all([("revoked", {"consent": it.consent_id, "issuer": it.issuer}) for it in foreign])
        write_notices(revocations_path(), [*kept, *fresh])


def write_notices(path: Path, notices: Sequence[Revocation]) -> None:
    """Write notices to a file, for keeping or for handing on.

    Raises
    ------
    ConsentError
        If it cannot be written.
    """
    try:
        if path.parent == papers_folder():
            make_papers_folder()
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps([asdict(notice) for notice in notices], indent=2).encode())
    except OSError as error:
        raise ConsentError(f"{path}: cannot be written: {error.strerror or error}") from None


def _read(path: Path) -> list[Revocation]:
    """Return a file's notices, unchecked; a missing file is a FileNotFoundError if it is our own list."""
    try:
        content = read_regular_file(path, MAX_BYTES)
    except FileNotFoundError:
        if path == revocations_path():
            raise
        raise ConsentError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise ConsentError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        return list(_parsed(content))
    except ValueError as error:
        raise ConsentError(f"{path}: is damaged, or no list of revocations ({error})") from None


@functools.lru_cache(maxsize=2)
def _parsed(content: bytes) -> tuple[Revocation, ...]:
    """Return the notices in a file's content; the list that is kept is asked for at each use of a voice."""
    given = read_json(content) if len(content) <= MAX_BYTES else None
    if not isinstance(given, list) or len(given) > MAX_NOTICES:
        raise ValueError(f"allowed: a list of at most {MAX_NOTICES}")
    return tuple(Revocation(**_texts(each)) for each in given)


def _texts(given: Any) -> dict[str, str]:
    names = {"consent_id", "revoked_at", "reason", "issuer", "signature"}
    if not isinstance(given, Mapping) or set(given) != names or not all(isinstance(it, str) for it in given.values()):
        raise ValueError("a notice does not hold the five texts of one")
    return dict(given)


def _message(consent_id: str, revoked_at: str, reason: str) -> bytes:
    return b"vcfx revocation\n" + json.dumps([consent_id, revoked_at, reason]).encode()
