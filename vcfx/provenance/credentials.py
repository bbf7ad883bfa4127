"""Content credentials (C2PA): signed into finished files, and read. Needs the package c2pa-python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from vcfx import __version__
from vcfx.errors import AudioFileError, VcfxError

from .certificate import create_own_certificate, own_certificate
from .chunks import find_chunks
from .disclosure import ALTERED, Disclosure, read_disclosure
from .id3_sizes import frames_fit

#: libsndfile's containers that the package signs. RF64, AIFF, Ogg and Opus it does not take.
SIGNED_CONTAINERS: Final = {"WAV": "audio/wav", "WAVEX": "audio/wav", "FLAC": "audio/flac", "MP3": "audio/mpeg"}
INSTALL: Final = "content credentials need the package c2pa-python; install it with: pip install 'vcfx-voice[c2pa]'"
#: Our own assertion: the whole disclosure.
ASSERTION: Final = "vcfx.disclosure"
#: Nothing is fetched from the network because a file says so.
_SETTINGS: Final = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
_LOOKED_AT: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a file's content credentials say.

    Parameters
    ----------
    state
        ``trusted``: intact, and signed by somebody whom the package knows. ``intact``: unchanged since it was signed,
        by somebody unknown. ``broken``: sound or claims were changed, or the signature does not fit. ``unread``: it
        seems to have some, but they could not be looked at, see `problem`.
    signer
        What the certificate calls the signer; nobody has checked it where the state is not ``trusted``.
    own
        Whether this installation signed them.
    tool
        The program that made the claim.
    source_types
        Digital source types in the actions.
    disclosure
        Ours, if vcfx made the claim.
    problem
        Why they were not read, or what is broken.
    """

    state: str
    signer: str = ""
    own: bool = False
    tool: str = ""
    source_types: tuple[str, ...] = ()
    disclosure: Disclosure | None = None
    problem: str = ""


def check_signing(container: str = "WAV", file: str = "the output") -> None:
    """Refuse what cannot be signed.

    Raises
    ------
    VcfxError
        If the package is missing.
    AudioFileError
        If it does not take this container.
    """
    if container not in SIGNED_CONTAINERS:
        raise AudioFileError(
            f"{file}: content credentials cannot be put into {container}; allowed: WAV below 4 GiB, FLAC, MP3"
        )
    if _package() is None:
        raise VcfxError(INSTALL)


def sign_file(path: Path, signed: Path, container: str, disclosure: Disclosure) -> None:
    """Write a copy of a finished file that carries content credentials; the sound is the same.

    Parameters
    ----------
    path, signed
        The file, and where the copy goes; both temporary names.
    container
        One of `SIGNED_CONTAINERS`.
    disclosure
        What is claimed.

    Raises
    ------
    VcfxError
        If the package is missing, refuses, or the certificate cannot be made.
    OSError
        If the copy cannot be written.
    """
    check_signing(container)
    c2pa = _package()
    certificate = create_own_certificate()
    with path.open("rb") as source, signed.open("w+b") as target:
        try:
            info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, certificate.chain_pem, certificate.key_pem, None)
            with c2pa.Signer.from_info(info) as signer, c2pa.Builder(json.dumps(_manifest(disclosure))) as builder:
                builder.sign(signer, SIGNED_CONTAINERS[container], source, target)
        except c2pa.C2paError as error:
            target.flush()  # raises what the package would only call an IO error: a full disk
            raise VcfxError(f"content credentials cannot be signed: {_line(error)}") from error


def read_credentials(path: Path) -> Credentials | None:
    """Return what a file's content credentials say; None if it seems to have none. Nothing is fetched for it."""
    c2pa = _package()
    if c2pa is None:
        return Credentials("unread", problem=INSTALL) if _seems_signed(path) else None
    try:
        if not frames_fit(path):  # the package would ask for as much memory as they claim, and end the process
            raise ValueError("its ID3 tag claims more bytes than there are")
        with path.open("rb") as file, c2pa.Context(settings=c2pa.Settings.from_dict(_SETTINGS)) as context:
            reader = c2pa.Reader.try_create(None, file, context=context)
            if reader is None:
                return None
            with reader:
                return _credentials(json.loads(reader.json()))
    except c2pa.C2paError as error:
        return Credentials("unread", problem=_line(error)) if _seems_signed(path) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return Credentials("unread", problem=_line(error)) if _seems_signed(path) else None


@cache
def _package() -> Any:
    try:
        import c2pa
    except (ImportError, OSError):  # OSError: its library does not fit the machine
        return None
    return c2pa


def _manifest(disclosure: Disclosure) -> dict[str, Any]:
    agent = {"name": "vcfx", "version": __version__}
    made: dict[str, Any] = {
        "action": "c2pa.created",
        "softwareAgent": agent,
        "digitalSourceType": disclosure.source_type,
        "description": disclosure.sentence,
    }
    actions = [made]
    if disclosure.alterations and disclosure.is_artificial:
        altered = f"altered by signal processing: {', '.join(disclosure.alterations)}"
        actions.append(
            {"action": "c2pa.edited", "softwareAgent": agent, "digitalSourceType": ALTERED, "description": altered}
        )
    for action in actions:
        if disclosure.made_at:
            action["when"] = disclosure.made_at
    return {
        "claim_generator_info": [agent],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": ASSERTION, "data": json.loads(disclosure.to_json())},
        ],
    }


def _credentials(store: Mapping[str, Any]) -> Credentials:
    manifest = store["manifests"][store["active_manifest"]]
    signature = manifest.get("signature_info") or {}
    failures = [
        str(each.get("code"))
        for each in store.get("validation_status") or []
        if each.get("code") != "signingCredential.untrusted"
    ]
    state = {"Trusted": "trusted", "Valid": "intact"}.get(str(store.get("validation_state")), "broken")
    actions = [
        action
        for assertion in manifest.get("assertions") or []
        if str(assertion.get("label", "")).startswith("c2pa.actions")
        for action in assertion["data"].get("actions") or []
    ]
    own = [each["data"] for each in manifest.get("assertions") or [] if each.get("label") == ASSERTION]
    generator = (manifest.get("claim_generator_info") or [{}])[0]
    return Credentials(
        state=state,
        signer=str(signature.get("common_name") or signature.get("issuer") or ""),
        own=state != "broken" and _is_own(str(signature.get("cert_serial_number", ""))),
        tool=f"{generator.get('name', '')} {generator.get('version', '')}".strip(),
        source_types=tuple(str(action["digitalSourceType"]) for action in actions if action.get("digitalSourceType")),
        disclosure=read_disclosure(json.dumps(own[0])) if own else None,
        problem="; ".join(dict.fromkeys(failures)) if state == "broken" else "",
    )


def _is_own(serial: str) -> bool:
    try:
        own = own_certificate()
    except VcfxError:
        return False
    return own is not None and serial == str(own.serial)


def _seems_signed(path: Path) -> bool:
    """Whether a manifest store (JUMBF) lies where WAV, MP3, FLAC and MP4 have it."""
    try:
        with path.open("rb") as file:
            if find_chunks(file, [b"C2PA"]):
                return True
            file.seek(0)
            start = file.read(_LOOKED_AT)
    except OSError:
        return False
    return b"jumb" in start and b"c2pa" in start


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
