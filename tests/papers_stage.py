"""Bundles good and bad, for tests of the papers."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vcfx_models.papers import audit, audit_database
from vcfx_models.papers.bundle import MAGIC, Papers, read_bundle, write_bundle
from vcfx_models.papers.consent import Consent, format_time
from vcfx_models.papers.keys import PUBLIC_BYTES, SIGNATURE_BYTES, SigningKey, create_own_key
from vcfx_models.voice_file import Voice
from voice_models import consent_for_tests, random_voice

NOW = datetime.now(UTC).replace(microsecond=0)
STRANGER = SigningKey.from_bytes(b"stranger" * 4)


def moment(**from_now: float) -> str:
    """A time as papers hold it, so far from now."""
    return format_time(NOW + timedelta(**from_now))


def signed(key: SigningKey | None = None, voice: Voice | None = None, **changes: object) -> bytes:
    """A bundle, by default of this installation, that nobody logged."""
    issuer = key or create_own_key()
    return write_bundle(voice or random_voice("zoe"), consent_for_tests(**changes), issuer, moment())


def papers_of(bundle: bytes) -> Papers:
    """What a genuine bundle says."""
    papers = read_bundle(bundle, "stage").papers
    assert papers is not None
    return papers


def parts(bundle: bytes) -> tuple[bytes, bytes]:
    """The bundle's papers and voice, as they are in it."""
    (size,) = struct.unpack_from("<I", bundle, len(MAGIC))
    start = len(MAGIC) + 4 + size
    return bundle[len(MAGIC) + 4 : start], bundle[start + 4 : -PUBLIC_BYTES - SIGNATURE_BYTES]


def joined(papers: bytes, voice: bytes, key: SigningKey, extra: bytes = b"") -> bytes:
    """A bundle of any two parts, with a signature that fits."""
    body = b"".join(struct.pack("<I", len(part)) + part for part in (papers, voice)) + extra
    content = MAGIC + body + key.public.raw
    return content + key.sign(content)


def resigned(bundle: bytes, key: SigningKey, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The bundle with other papers, and a signature that fits."""
    text, voice = parts(bundle)
    papers = json.loads(text)
    change(papers)
    return joined(json.dumps(papers).encode(), voice, key)


def change_log(script: str, covered_up: bool = True) -> None:
    """Change the log behind the program's back; covered up: tables and triggers are as before."""
    tables = audit_database._SCHEMA.split(";\n")
    guards = f"{tables[3]}; {tables[4]};" if covered_up else ""
    with contextlib.closing(sqlite3.connect(audit.log_path())) as log:
        log.executescript(f"DROP TRIGGER no_update; DROP TRIGGER no_delete; {script}; {guards}")


def events() -> list[str]:
    """What the log tells of, in order."""
    return [entry.event for entry in audit.entries()]


def refusals() -> list[str]:
    """The reasons of the refusals in the log."""
    return [str(entry.detail["reason"]) for entry in audit.entries() if entry.event == "refused"]


def consent(**changes: object) -> Consent:
    """One that is allowed."""
    return consent_for_tests(**changes)


def write(path: Path, content: bytes) -> Path:
    """A file in a folder that may be new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
