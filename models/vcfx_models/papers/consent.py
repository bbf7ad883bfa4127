"""A consent record: who lets their voice be used, for what, until when, and how they said so."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

from vcfx_models.errors import ConsentError
from vcfx_models.one_line import is_one_line

#: What may be allowed: to speak with it in real time; to convert files and to record; to have it read text.
USES: Final = ("live", "files", "speech")
#: How consent was given. The last two are for voices behind which no person stands to be asked: recordings whose
#: speaker or publisher gave them away under a licence, and voices of synthetic speech.
BASES: Final = ("spoken", "typed", "licence", "synthetic")
MAX_TEXT: Final = 1_000
MAX_HASHES: Final = 100
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_ID: Final = re.compile(r"[0-9a-f]{16}")
#: From the year 1000 on, in one way of writing: times may be compared as texts.
_TIME: Final = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person allowed.

    Parameters
    ----------
    consent_id
        16 hexadecimal digits, see `new_consent_id`.
    speaker
        Whose voice it is: one printable line.
    basis
        One of `BASES`.
    uses
        Some of `USES`, at least one.
    purpose
        For what, in words; may be empty.
    given_at, until
        Times in UTC as ``2026-11-22T18:00:00Z``; `until` is empty only where `basis` is ``licence`` or ``synthetic``.
    statement
        What was said or typed; not empty.
    statement_sha256
        Of the recording in which it was said; empty if it was not spoken.
    audio_sha256
        Of the recordings that the voice was made of.
    liveness
        ``passed`` if a random phrase was asked for and spoken by the same, living speaker; else ``unchecked``.

    Raises
    ------
    ConsentError
        Naming what is not allowed.
    """

    consent_id: str
    speaker: str
    basis: str
    uses: tuple[str, ...]
    purpose: str
    given_at: str
    until: str
    statement: str
    statement_sha256: str = ""
    audio_sha256: tuple[str, ...] = ()
    liveness: str = "unchecked"

    def __post_init__(self) -> None:
        _check_choice(self.basis, BASES, "basis")
        _check_choice(self.liveness, ("passed", "unchecked"), "liveness")
        if not self.uses or len(set(self.uses)) != len(self.uses) or not set(self.uses) <= set(USES):
            raise ConsentError(f"consent: uses are {_shown(', '.join(self.uses))}; allowed: some of {', '.join(USES)}")
        for name, least in (("speaker", 1), ("purpose", 0), ("statement", 1)):
            _check_line(getattr(self, name), name, least)
        if not _ID.fullmatch(self.consent_id):
            raise ConsentError(f"consent: consent_id is {_shown(self.consent_id)}; allowed: 16 hexadecimal digits")
        given = parse_time(self.given_at, "given_at")
        if self.until:
            if parse_time(self.until, "until") <= given:
                raise ConsentError(f"consent: it ends on {self.until}, before it begins on {self.given_at}")
        elif self.basis not in ("licence", "synthetic"):
            raise ConsentError("consent: until is empty; needed: the time at which a person's consent ends")
        hashes = (*self.audio_sha256, *([self.statement_sha256] if self.statement_sha256 else []))
        if len(hashes) > MAX_HASHES or not all(_HASH.fullmatch(each) for each in hashes):
            raise ConsentError(f"consent: hashes are not as allowed: at most {MAX_HASHES} of 64 hexadecimal digits")
        if self.basis == "spoken" and not self.statement_sha256:
            raise ConsentError("consent: a spoken statement needs the hash of its recording")

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Consent:
        """Undo `to_json`; what comes from elsewhere is checked.

        Raises
        ------
        ConsentError
            If a field is missing, unknown, of another type or not allowed.
        """
        names = [field.name for field in fields(cls)]
        if not isinstance(given, Mapping) or sorted(given) != sorted(names):
            raise ConsentError(f"consent: its fields are not these: {', '.join(names)}")
        values: dict[str, Any] = {}
        for name in names:
            value, is_list = given[name], name in ("uses", "audio_sha256")
            texts = value if is_list else [value]
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                found = f"is {value[:40]!r}" if isinstance(value, str) else f"holds a {type(value).__name__}"
                raise ConsentError(f"consent: {name} {found}; allowed: {'texts' if is_list else 'text'}")
            values[name] = tuple(texts) if is_list else value
        return cls(**values)


def new_consent_id() -> str:
    """Return 16 random hexadecimal digits."""
    return secrets.token_hex(8)


def format_time(moment: datetime) -> str:
    """Return a time as the papers hold it: UTC to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str, name: str) -> datetime:
    """Undo `format_time`; raises `ConsentError` naming `name`."""
    try:
        if _TIME.fullmatch(text):
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        raise ValueError(text)
    except ValueError:
        raise ConsentError(f"consent: {name} is {_shown(text)}; allowed: a time like 2026-11-22T18:00:00Z") from None


def _check_choice(value: str, allowed: tuple[str, ...], name: str) -> None:
    if value not in allowed:
        raise ConsentError(f"consent: {name} is {_shown(value)}; allowed: {', '.join(allowed)}")


def _check_line(text: str, name: str, least: int) -> None:
    if not is_one_line(text, least, MAX_TEXT):
        raise ConsentError(
            f"consent: {name} is {_shown(text)}; allowed: one line of {least} to {MAX_TEXT} printable characters"
        )


def _shown(text: str) -> str:
    return repr(text[:40])
