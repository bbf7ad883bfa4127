"""Consent taken back: logged, kept as a signed notice, and written to a file that can be handed on."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ..errors import ConsentError, VoiceError
from ..one_line import is_one_line
from ..papers import audit
from ..papers.admission import WITHOUT_A_PERSON
from ..papers.bundle import Papers
from ..papers.consent import MAX_TEXT, format_time
from ..papers.keys import create_own_key
from ..papers.revocation import Revocation, keep_revocations, revoke, write_notices
from ..papers.trust import publisher_key
from ..voice_library import list_voices, voice_path
from ..voice_on_disk import load_voice, shown
from .library_changes import detail_of

_CONSENT_ID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was taken back: the notice, the voices of this library that it silences, and where the notice went."""

    notice: Revocation
    names: tuple[str, ...]
    exported: Path | None = None


def withdraw(name_or_consent: str, reason: str = "", export: Path | None = None) -> Withdrawn:
    """End a consent for good: every voice enrolled with it falls silent here, and wherever the notice is imported.

    Parameters
    ----------
    name_or_consent
        A voice's name or file; or the 16 digits of a consent whose voice is no longer here.
    reason
        One line, may be empty; in the notice.
    export
        A new file for the notice.

    Raises
    ------
    VoiceError
        If there is no such voice, it comes with vcfx, or the file exists.
    ConsentError
        If the reason is no line, or log or list cannot be written.
    """
    if not is_one_line(reason, 0, MAX_TEXT):
        raise ConsentError(f"the reason is {reason[:40]!r}; allowed: one line of at most {MAX_TEXT} letters")
    if export is not None and os.path.lexists(export):
        raise VoiceError(f"{shown(export)}: is there already; give another name")
    consent_id, detail = _consent_of(name_or_consent)
    key, now = create_own_key(), format_time(datetime.now(UTC))
    audit.append("revoked", detail | {"consent": consent_id, "reason": reason})
    notice = revoke(consent_id, now, reason, key)
    keep_revocations([notice])
    if export is not None:
        write_notices(export, [notice])
    return Withdrawn(notice, tuple(_names_with(consent_id)), export)


def _consent_of(name_or_consent: str) -> tuple[str, audit.Detail]:
    try:
        path = voice_path(name_or_consent)
    except VoiceError as error:
        if not _CONSENT_ID.fullmatch(name_or_consent):
            raise VoiceError(f"{error}, nor is it the number of a consent (16 hexadecimal digits)") from None
        return name_or_consent, {}
    voice = load_voice(path)
    assert voice.papers is not None
    if _without_a_person(voice.papers):
        raise VoiceError(f"the voice '{path.stem}' comes with vcfx; no person's consent stands behind it")
    return voice.papers.consent.consent_id, detail_of(voice)


def _without_a_person(papers: Papers) -> bool:
    return papers.consent.basis in WITHOUT_A_PERSON and papers.issuer == publisher_key()


def _names_with(consent_id: str) -> list[str]:
    found = [info for info in list_voices() if info.voice is not None and info.voice.papers is not None]
    return [info.name for info in found if info.voice.papers.consent.consent_id == consent_id]  # type: ignore[union-attr]
