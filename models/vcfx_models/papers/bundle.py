"""The voice bundle: one file that holds a voice and its papers, signed as a whole.

Layout, version 1, little-endian: the eight bytes ``VCFXVOC1``; u32 length and UTF-8 JSON of the papers; u32 length and
the voice in safetensors; 32 bytes of the issuer's public key; 64 bytes of Ed25519 signature over all before it.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from vcfx_models.errors import ConsentError, VoiceError
from vcfx_models.one_line import is_one_line
from vcfx_models.voice_file import Voice, read_voice, voice_bytes

from .consent import MAX_TEXT, Consent, parse_time
from .keys import PUBLIC_BYTES, SIGNATURE_BYTES, PublicKey, SigningKey
from .strict_json import read_json

SUFFIX: Final = ".vcfxvoice"
MAGIC: Final = b"VCFXVOC1"
MAGIC_STEM: Final = b"VCFXVOC"
MAX_PAPERS_BYTES: Final = 64_000
MAX_BYTES: Final = 200_000
_LENGTH: Final = struct.Struct("<I")
_FIELDS: Final = ("consent", "issuer_name", "issued_at", "voice_sha256")


@dataclass(frozen=True, slots=True)
class Papers:
    """What a bundle says of its voice, after the signature was found good.

    Parameters
    ----------
    consent
        The consent record.
    issuer
        The key of the installation that enrolled the voice.
    issuer_name
        What it calls itself: one line, may be empty; nobody has checked it.
    issued_at
        When, as in `consent.format_time`.
    voice_sha256
        Of the voice's safetensors bytes.
    bundle_sha256
        Of the whole file.
    """

    consent: Consent
    issuer: PublicKey
    issuer_name: str
    issued_at: str
    voice_sha256: str
    bundle_sha256: str

    @property
    def voice_id(self) -> str:
        """16 hexadecimal digits that name the voice in logs and marks."""
        return self.voice_sha256[:16]


def write_bundle(voice: Voice, consent: Consent, key: SigningKey, issued_at: str, issuer_name: str = "") -> bytes:
    """Return a signed bundle.

    Parameters
    ----------
    voice
        Papers that it may have already are not looked at.
    consent
        What the speaker allowed.
    key
        Of the issuer.
    issued_at
        Now, as in `consent.format_time`.
    issuer_name
        One printable line of at most 1000 characters; may be empty.
    """
    if not is_one_line(issuer_name, 0, MAX_TEXT):
        raise ConsentError(f"the issuer's name is {issuer_name[:40]!r}; allowed: one line of at most {MAX_TEXT}")
    content = voice_bytes(voice)
    papers = {
        "consent": consent.to_json(),
        "issuer_name": issuer_name,
        "issued_at": issued_at,
        "voice_sha256": hashlib.sha256(content).hexdigest(),
    }
    text = json.dumps(papers, sort_keys=True, separators=(",", ":")).encode()
    signed = MAGIC + _LENGTH.pack(len(text)) + text + _LENGTH.pack(len(content)) + content + key.public.raw
    return signed + key.sign(signed)


def read_bundle(content: bytes, file: str) -> Voice:
    """Return the voice of a bundle with its papers attached; whether they allow its use is for `admission` to say.

    Parameters
    ----------
    content
        Of the file.
    file
        How errors name it.

    Raises
    ------
    ConsentError
        If the signature does not fit, or the papers are not as they must be: forged or tampered with.
    VoiceError
        If it is damaged, or made by a newer program.
    """
    _check_kind(content, file)
    signed, signature = content[:-SIGNATURE_BYTES], content[-SIGNATURE_BYTES:]
    issuer = PublicKey(signed[-PUBLIC_BYTES:])
    if not issuer.verifies(signature, signed):
        raise ConsentError(f"{file}: was changed after it was signed, or is damaged (the signature does not fit)")
    body = memoryview(signed)[len(MAGIC) : -PUBLIC_BYTES]
    text, body = _part(body, file)
    voice_part, body = _part(body, file)
    if len(body):
        raise VoiceError(f"{file}: holds {len(body)} bytes too many")
    papers = _papers(text, issuer, hashlib.sha256(content).hexdigest(), file)
    if hashlib.sha256(voice_part).hexdigest() != papers.voice_sha256:
        raise ConsentError(f"{file}: its papers belong to another voice")
    return replace(read_voice(voice_part, file), papers=papers)


def _check_kind(content: bytes, file: str) -> None:
    if len(content) > MAX_BYTES:
        raise VoiceError(f"{file}: is larger than {MAX_BYTES // 1000} kB, which no voice is")
    if content.startswith(b"VCFXSEAL"):
        raise VoiceError(f"{file}: is locked with a passphrase; open it with: vcfx voices import FILE")
    if not content.startswith(MAGIC_STEM):
        raise ConsentError(
            f"{file}: has no papers (consent record and signature), or is no voice; enrol the voice anew"
        )
    if not content.startswith(MAGIC):
        version = content[len(MAGIC_STEM) : len(MAGIC)]
        raise VoiceError(f"{file}: has the format {version!r}; this vcfx reads {MAGIC[len(MAGIC_STEM) :]!r}")
    if len(content) < len(MAGIC) + 2 * _LENGTH.size + PUBLIC_BYTES + SIGNATURE_BYTES:
        raise VoiceError(f"{file}: is damaged (it ends after {len(content)} bytes)")


def _part(body: memoryview, file: str) -> tuple[bytes, memoryview]:
    if len(body) < _LENGTH.size:
        raise VoiceError(f"{file}: is damaged (a part is missing)")
    (length,) = _LENGTH.unpack_from(body)
    if length > len(body) - _LENGTH.size:
        raise VoiceError(f"{file}: is damaged (a part of {length} bytes is cut off)")
    end = _LENGTH.size + length
    return bytes(body[_LENGTH.size : end]), body[end:]


def _papers(text: bytes, issuer: PublicKey, bundle_sha256: str, file: str) -> Papers:
    if len(text) > MAX_PAPERS_BYTES:
        raise ConsentError(f"{file}: its papers have {len(text)} bytes; allowed: {MAX_PAPERS_BYTES}")
    try:
        given = read_json(text)
    except ValueError:
        raise ConsentError(f"{file}: its papers cannot be read") from None
    if not isinstance(given, Mapping) or sorted(given) != sorted(_FIELDS):
        raise ConsentError(f"{file}: its papers do not hold these: {', '.join(_FIELDS)}")
    try:
        consent = Consent.from_json(given["consent"])
        name, issued_at, voice_sha256 = (_text(given, key) for key in _FIELDS[1:])
        parse_time(issued_at, "issued_at")
    except ConsentError as error:
        raise ConsentError(f"{file}: {error}") from None
    return Papers(consent, issuer, name, issued_at, voice_sha256, bundle_sha256)


def _text(given: Mapping[str, Any], key: str) -> str:
    value = given[key]
    if not isinstance(value, str) or not is_one_line(value, 0, MAX_TEXT):
        found = repr(value[:40]) if isinstance(value, str) else f"of the kind {type(value).__name__}"
        raise ConsentError(f"papers: {key} is {found}; allowed: one line of text")
    return value
