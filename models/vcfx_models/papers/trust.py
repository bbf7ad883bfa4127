"""Whose signatures count: our own, the publisher's of the voices that come along, and those the user has accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vcfx_models.data_folder import data_folder
from vcfx_models.errors import ConsentError
from vcfx_models.whole_file import replace_file

from .keys import PublicKey, own_key

#: The public key that the shipped voices are signed with. Its private half was thrown away when they were signed.
PUBLISHER_FILE: Final = Path(__file__).parent.parent / "voices" / "publisher.pub"
MAX_TRUSTED: Final = 1_000


def trusted_path() -> Path:
    """Return where accepted keys are kept."""
    return data_folder() / "papers" / "trusted.json"


def publisher_key() -> PublicKey | None:
    """Return the key of the shipped voices; None if the installation is without."""
    try:
        return PublicKey(bytes.fromhex(PUBLISHER_FILE.read_text().strip()))
    except (OSError, ValueError):
        return None


def trusted_keys() -> dict[str, str]:
    """Return the accepted keys: 64 hexadecimal digits of the key -> the name that the user gave it.

    Raises
    ------
    ConsentError
        If the list is damaged or cannot be read.
    """
    path = trusted_path()
    try:
        if not path.exists():
            return {}
        given = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        raise ConsentError(f"{path}: the list of trusted keys is damaged or cannot be read") from None
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given.values()):
        raise ConsentError(f"{path}: the list of trusted keys is damaged")
    return dict(given)


def trust_key(key: PublicKey, name: str) -> None:
    """Accept what that key signs from now on."""
    found = trusted_keys()
    if len(found) >= MAX_TRUSTED:
        raise ConsentError(f"{len(found)} keys are trusted; allowed: {MAX_TRUSTED}")
    _write(found | {key.raw.hex(): name})


def distrust_key(fingerprint: str) -> bool:
    """Take a key back; returns whether it was there."""
    found = trusted_keys()
    kept = {raw: name for raw, name in found.items() if PublicKey(bytes.fromhex(raw)).fingerprint != fingerprint}
    if len(kept) == len(found):
        return False
    _write(kept)
    return True


def standing(key: PublicKey) -> str:
    """Return ``own``, ``publisher``, ``trusted`` or ``unknown``."""
    own = own_key()
    if own is not None and own.public == key:
        return "own"
    if publisher_key() == key:
        return "publisher"
    return "trusted" if key.raw.hex() in trusted_keys() else "unknown"


def _write(keys: Mapping[str, str]) -> None:
    path = trusted_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(path, json.dumps(dict(keys), indent=2, sort_keys=True).encode())
    except OSError as error:
        raise ConsentError(f"{path}: the list of trusted keys cannot be written: {error.strerror or error}") from None
