"""Consent taken back: notices signed by who issued the voice, or by this installation for itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from vcfx_models.data_folder import data_folder
from vcfx_models.errors import ConsentError
from vcfx_models.whole_file import replace_file

from .bundle import Papers
from .keys import PublicKey, SigningKey

MAX_NOTICES: Final = 10_000
MAX_BYTES: Final = 5_000_000


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
    """

    consent_id: str
    revoked_at: str
    reason: str
    issuer: str
    signature: str

    def is_genuine(self) -> bool:
        """Whether the signature fits."""
        try:
            key, signature = PublicKey(bytes.fromhex(self.issuer)), bytes.fromhex(self.signature)
        except (ValueError, ConsentError):
            return False
        return key.verifies(signature, _message(self.consent_id, self.revoked_at, self.reason))

    def concerns(self, papers: Papers, own: PublicKey | None) -> bool:
        """Whether it ends the consent in those papers: only their issuer, or this installation, can say so."""
        if self.consent_id != papers.consent.consent_id or not self.is_genuine():
            return False
        return self.issuer == papers.issuer.raw.hex() or (own is not None and self.issuer == own.raw.hex())


def revoke(consent_id: str, revoked_at: str, reason: str, key: SigningKey) -> Revocation:
    """Return a signed notice."""
    signature = key.sign(_message(consent_id, revoked_at, reason))
    return Revocation(consent_id, revoked_at, reason, key.public.raw.hex(), signature.hex())


def revocations_path() -> Path:
    """Return where notices are kept."""
    return data_folder() / "papers" / "revoked.json"


def read_notices(path: Path) -> list[Revocation]:
    """Return the notices in a file.

    Raises
    ------
    ConsentError
        If it is damaged, cannot be read, or holds one that is not genuine.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        given = json.loads(content) if len(content) <= MAX_BYTES else None
        notices = [Revocation(**_texts(each)) for each in given] if isinstance(given, list) else None
    except OSError as error:
        raise ConsentError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, TypeError, RecursionError):
        notices = None
    if notices is None or len(notices) > MAX_NOTICES:
        raise ConsentError(f"{path}: is damaged, or no list of revocations")
    for notice in notices:
        if not notice.is_genuine():
            raise ConsentError(f"{path}: the notice on {notice.consent_id[:40]!r} is not signed by whom it names")
    return notices


def kept_revocations() -> list[Revocation]:
    """Return the notices that this installation keeps."""
    path = revocations_path()
    return read_notices(path) if path.exists() else []


def keep_revocations(new: list[Revocation]) -> None:
    """Add notices to those that are kept."""
    kept = kept_revocations()
    write_notices(revocations_path(), [*kept, *(notice for notice in new if notice not in kept)])


def write_notices(path: Path, notices: list[Revocation]) -> None:
    """Write notices to a file, for keeping or for handing on.

    Raises
    ------
    ConsentError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps([asdict(notice) for notice in notices], indent=2).encode())
    except OSError as error:
        raise ConsentError(f"{path}: cannot be written: {error.strerror or error}") from None


def _texts(given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping) or not all(isinstance(value, str) for value in given.values()):
        raise TypeError("a notice is a table of texts")
    return dict(given)


def _message(consent_id: str, revoked_at: str, reason: str) -> bytes:
    return b"vcfx revocation\n" + json.dumps([consent_id, revoked_at, reason]).encode()
