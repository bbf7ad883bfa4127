"""Whose signatures count: our own, the publisher's of the voices that come along, and those the user has accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vcfx_models.errors import ConsentError
from vcfx_models.one_line import is_one_line
from vcfx_models.regular_file import read_regular_file
from vcfx_models.whole_file import replace_file

from .consent import MAX_TEXT
from .folder import locked_papers, make_papers_folder, papers_folder
from .keys import PublicKey, own_key
from .strict_json import read_json

#: The public key that the shipped voices are signed with. Its private half was thrown away when they were signed.
PUBLISHER_FILE: Final = Path(__file__).parent.parent / "voices" / "publisher.pub"
MAX_TRUSTED: Final = 1_000
MAX_BYTES: Final = 2_000_000
_KEY: Final = re.compile(r"[0-9a-f]{64}")


def trusted_path() -> Path:
    """Return where accepted keys are kept."""
    return papers_folder() / "trusted.json"


def publisher_key() -> PublicKey | None:
    """Return the key of the shipped voices; None if the installation is without."""
    try:
        return PublicKey(bytes.fromhex(PUBLISHER_FILE.read_text(encoding="ascii").strip()))
    except (OSError, ValueError):  # a wrong length is a ConsentError, which is a ValueError
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
        content = read_regular_file(path, MAX_BYTES)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConsentError(f"{path}: the list of trusted keys cannot be read: {error.strerror or error}") from None
    try:
        given = read_json(content) if len(content) <= MAX_BYTES else None
    except ValueError:
        given = None
    if not isinstance(given, Mapping) or len(given) > MAX_TRUSTED or not all(map(_is_entry, given.items())):
        raise ConsentError(f"{path}: the list of trusted keys is damaged")
    return dict(given)


def trust_key(key: PublicKey, name: str) -> None:
    """Accept what that key signs from now on.

    Raises
    ------
    ConsentError
        If the name is not one line of at most 1000 characters, or the list is full or cannot be written.
    """
    if not is_one_line(name, 0, MAX_TEXT):
        raise ConsentError(f"the name of the key is {name[:40]!r}; allowed: one line of at most {MAX_TEXT}")
    with locked_papers():
        kept = trusted_keys() | {key.raw.hex(): name}
        if len(kept) > MAX_TRUSTED:
            raise ConsentError(f"{len(kept) - 1} keys are trusted; allowed: {MAX_TRUSTED}")
        _write(kept)


def distrust_key(fingerprint: str) -> bool:
    """Take a key back; returns whether it was there."""
    with locked_papers():
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


def _is_entry(entry: tuple[str, object]) -> bool:
    raw, name = entry
    return _KEY.fullmatch(raw) is not None and isinstance(name, str) and is_one_line(name, 0, MAX_TEXT)


def _write(keys: Mapping[str, str]) -> None:
    path = trusted_path()
    try:
        make_papers_folder()
        replace_file(path, json.dumps(dict(keys), indent=2, sort_keys=True).encode())
    except OSError as error:
        raise ConsentError(f"{path}: the list of trusted keys cannot be written: {error.strerror or error}") from None
