"""Voices that must not be spoken with, each in an installation of its own: what is wrong, and how it is said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from papers_stage import NOW, STRANGER, change_log, consent, joined, moment, parts, resigned, signed, write
from vcfx_models.papers import audit, sealing
from vcfx_models.papers.bundle import read_bundle
from vcfx_models.papers.issuing import issue
from vcfx_models.papers.keys import SigningKey, create_own_key, key_path
from vcfx_models.papers.revocation import keep_revocations, revocations_path, revoke
from vcfx_models.papers.trust import trust_key, trusted_path
from voice_models import random_voice

OVER: dict[str, Any] = {"given_at": moment(days=-9), "until": moment(days=-1)}


@dataclass(frozen=True)
class BadPapers:
    """One thing that may be wrong.

    Parameters
    ----------
    make
        Prepares the present installation and returns a voice's file.
    says
        What the refusal must say.
    uses
        The uses that are refused.
    logged
        Whether the log can tell of the refusal.
    """

    make: Callable[[], bytes]
    says: str
    uses: tuple[str, ...] = ("live", "files")
    logged: bool = True


def enrolled(**changes: object) -> bytes:
    return issue(random_voice("zoe"), consent(**changes))


def damaged() -> bytes:
    content = bytearray(enrolled())
    content[len(content) // 2] ^= 1
    return bytes(content)


def lengthened() -> bytes:
    return signed(**OVER).replace(moment(days=-1).encode(), moment(days=9).encode())


def of_another() -> bytes:
    return joined(parts(enrolled())[0], parts(signed(voice=random_voice("other")))[1], STRANGER)


def signed_anew() -> bytes:
    return resigned(signed(**OVER), STRANGER, lambda papers: papers["consent"].update(until=moment(days=9)))


def beside_another_key() -> bytes:
    create_own_key()
    other = SigningKey.new().public
    write(trusted_path(), json.dumps({other.raw.hex(): STRANGER.public.fingerprint}).encode())
    return signed(STRANGER)


def taken_back(by: SigningKey | None = None) -> bytes:
    content, own = enrolled() if by is None else signed(by), create_own_key()
    papers = read_bundle(content, "v").papers
    assert papers is not None
    if by is None:
        audit.append("revoked", {"consent": papers.consent.consent_id})
    else:
        trust_key(by.public, "")
    keep_revocations([revoke(papers.consent.consent_id, moment(), "", by or own)])
    return content


def taken_back_without_list() -> bytes:
    content = taken_back()
    revocations_path().unlink()
    return content


def taken_back_without_entry() -> bytes:
    content = taken_back_without_list()
    audit.append("used", {})
    change_log("UPDATE entries SET event = 'used' WHERE event = 'revoked'")
    return content


def without_log() -> bytes:
    content = enrolled()
    audit.log_path().unlink()
    return content


def with_a_cut_log() -> bytes:
    content = taken_back_without_list()
    change_log("DELETE FROM entries WHERE event = 'revoked'")
    return content


def with_another_key() -> bytes:
    content = enrolled()
    write(key_path(), SigningKey.new().secret)
    return content


def with_the_clock_back() -> bytes:
    content = enrolled()
    audit.append("used", {}, NOW + timedelta(days=2))
    return content


def enrolled_elsewhere() -> bytes:
    here = os.environ["VCFX_DATA_DIR"]
    os.environ["VCFX_DATA_DIR"] = f"{here}-elsewhere"
    try:
        return enrolled()
    finally:
        os.environ["VCFX_DATA_DIR"] = here


BAD_PAPERS = {
    "none": BadPapers(lambda: parts(enrolled())[1], "has no papers"),
    "damaged": BadPapers(damaged, "the signature does not fit"),
    "end moved": BadPapers(lengthened, "the signature does not fit"),
    "of another voice": BadPapers(of_another, "its papers belong to another voice"),
    "of a stranger": BadPapers(lambda: signed(STRANGER), "does not trust"),
    "of a stranger, called synthetic": BadPapers(lambda: signed(STRANGER, basis="synthetic", until=""), "not trust"),
    "expired, signed anew": BadPapers(signed_anew, "does not trust"),
    "of a stranger, beside a trusted key": BadPapers(beside_another_key, "does not trust"),
    "enrolled elsewhere": BadPapers(enrolled_elsewhere, "does not trust"),
    "expired": BadPapers(lambda: enrolled(**OVER), "ended on"),
    "not yet": BadPapers(lambda: enrolled(given_at=moment(days=1), until=moment(days=2)), "begins only on"),
    "for files": BadPapers(lambda: enrolled(uses=("files",)), "is for files, not for live", ("live",)),
    "for live": BadPapers(lambda: enrolled(uses=("live", "speech")), "is for live, speech, not for files", ("files",)),
    "taken back": BadPapers(taken_back, "was taken back"),
    "taken back by its issuer": BadPapers(lambda: taken_back(STRANGER), "was taken back"),
    "taken back, list deleted": BadPapers(taken_back_without_list, "was taken back"),
    "taken back, log edited": BadPapers(taken_back_without_entry, "a revocation was changed or taken out"),
    "taken back, log cut": BadPapers(with_a_cut_log, "were taken out or added", logged=False),
    "log deleted": BadPapers(without_log, "the audit log is missing", logged=False),
    "key replaced": BadPapers(with_another_key, "does not trust", logged=False),
    "clock set back": BadPapers(with_the_clock_back, "the clock is before the audit log's last entry"),
    "locked": BadPapers(lambda: sealing.seal(enrolled(), "open sesame"), "is locked with a passphrase", logged=False),
}


def installed(name: str, home: Path) -> Path:
    """Make an installation with a bad voice in its library; returns the voice's file."""
    content = BAD_PAPERS[name].make()
    return write(home / "voices" / "zoe.vcfxvoice", content)
