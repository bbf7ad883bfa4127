"""Voices and revocations as files that people hand to each other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ..errors import VoiceError
from ..papers import audit
from ..papers.admission import refusal
from ..papers.bundle import MAX_BYTES as MAX_BUNDLE_BYTES
from ..papers.bundle import read_bundle
from ..papers.revocation import MAX_BYTES as MAX_NOTICES_BYTES
from ..papers.revocation import keep_revocations, read_notices
from ..papers.sealing import seal
from ..papers.trust import distrust_key, trust_key
from ..voice_file import Voice
from ..voice_library import list_voices
from ..voice_on_disk import load_bundle, save_bundle, shown
from .library_changes import detail_of
from .voice_status import ended

MAX_FILE_BYTES: Final = max(MAX_BUNDLE_BYTES, MAX_NOTICES_BYTES)
_ENDED: Final = {
    "revoked": "the consent of {speaker} was taken back",
    "expired": "the consent of {speaker} ended on {until}",
    "not yet": "the consent of {speaker} begins only on {given_at}",
}


def export_voice(source: Path, target: Path, passphrase: str = "") -> Path:
    """Write a voice's file once more, locked if there is a passphrase; returns where.

    Parameters
    ----------
    source
        A voice's file, whose signature must be good.
    target
        A new file, or a folder.
    passphrase
        8 characters or more; empty for none.

    Raises
    ------
    VoiceError
        If the voice is damaged, the passphrase too short, or the file exists or cannot be written.
    ConsentError
        If the voice is forged, or the log cannot be written.
    """
    content = load_bundle(source)
    voice = read_bundle(content, shown(source))
    if target.is_dir():
        target = target / source.name
    if os.path.lexists(target):
        raise VoiceError(f"{shown(target)}: is there already; give another name")
    written = seal(content, passphrase) if passphrase else content
    audit.append("exported", detail_of(voice) | {"file": str(target), "locked": bool(passphrase)})
    save_bundle(written, target)
    return target


def opened_file(path: Path) -> bytes:
    """Return the content of a file that somebody gave us.

    Raises
    ------
    VoiceError
        If it is missing, too large, or cannot be read.
    """
    try:
        if not path.is_file():
            raise VoiceError(f"{shown(path)}: there is no such file")
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise VoiceError(f"{shown(path)}: cannot be read: {error.strerror or error}") from None
    if len(content) > MAX_FILE_BYTES:
        raise VoiceError(f"{shown(path)}: is larger than {MAX_FILE_BYTES // 1000} kB, which no voice or list is")
    return content


def checked_import(content: bytes, file: str) -> Voice:
    """Return the voice of a bundle that could be imported, whether or not its issuer is trusted.

    Raises
    ------
    ConsentError
        If it is forged, or its consent has ended or was taken back.
    VoiceError
        If it is damaged.
    """
    voice = read_bundle(content, file)
    assert voice.papers is not None
    state = ended(voice.papers)
    if state:
        consent = voice.papers.consent
        reason = _ENDED[state].format(speaker=consent.speaker, until=consent.until, given_at=consent.given_at)
        raise VoiceError(f"{file}: {reason}; it is not imported")
    return voice


def import_voice(content: bytes, target: Path, trusts_issuer: bool = False) -> Voice:
    """Put a bundle into the user's folder.

    Parameters
    ----------
    content
        Not locked.
    target
        From `library_changes.free_path`.
    trusts_issuer
        Whether to trust the key that signed it from now on; taken back if the voice cannot be imported.

    Raises
    ------
    ConsentError
        If its papers allow nothing here, or lists or log cannot be written.
    VoiceError
        If it is damaged, or the file cannot be written.
    """
    voice = checked_import(content, shown(target))
    assert voice.papers is not None
    papers = voice.papers
    if trusts_issuer:
        trust_issuer(voice)
    try:
        reason = refusal(papers, papers.consent.uses[0])
        if reason:
            raise VoiceError(f"{target.stem}: {reason}")
        audit.append("imported", detail_of(voice) | {"name": target.stem, "issuer": papers.issuer.fingerprint})
        save_bundle(content, target)
    except VoiceError:
        if trusts_issuer:
            distrust_key(papers.issuer.fingerprint)
            audit.append("distrusted", {"key": papers.issuer.raw.hex()})
        raise
    return voice


def trust_issuer(voice: Voice, name: str = "") -> None:
    """Trust the key that signed a voice; the log is told first."""
    assert voice.papers is not None
    issuer = voice.papers.issuer
    audit.append("trusted", {"key": issuer.raw.hex(), "fingerprint": issuer.fingerprint})
    trust_key(issuer, name or voice.papers.issuer_name)


def import_notices(path: Path) -> tuple[int, list[str]]:
    """Keep the revocations in a file; returns how many there are, and the names of voices here that they end.

    Raises
    ------
    ConsentError
        If the file is damaged, or a notice is forged.
    """
    notices = read_notices(path)
    keep_revocations(notices)
    ids = {notice.consent_id for notice in notices}
    ending = [
        info.name
        for info in list_voices()
        if info.voice is not None
        and info.voice.papers is not None
        and info.voice.papers.consent.consent_id in ids
        and ended(info.voice.papers) == "revoked"
    ]
    return len(notices), ending
