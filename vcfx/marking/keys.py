"""Keys of the mark of one's own: kept beside the installation's key, one file each, for this user alone.

None is ever taken out: what was marked under a key can be verified by nobody without it. Which one is in use, the audit
log says (`vcfx.marking.setting`); a file alone changes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from vcfx.errors import ControlError
from vcfx_dsp.errors import ParameterError as KeyForm
from vcfx_dsp.watermark.key import DEFAULT_KEY, MAX_KEY_BYTES, WatermarkKey
from vcfx_models.errors import ConsentError
from vcfx_models.papers.folder import locked_papers, papers_folder
from vcfx_models.regular_file import read_regular_file
from vcfx_models.whole_file import replace_file

PREFIX: Final = "watermark-"
ENDING: Final = ".key"
#: Hexadecimal digits, and a line's end in whatever way.
MAX_FILE_BYTES: Final = 2 * MAX_KEY_BYTES + 16


def key_file(fingerprint: str) -> Path:
    """Return where the key with that fingerprint is kept, or would be."""
    return papers_folder() / f"{PREFIX}{fingerprint}{ENDING}"


def read_key(path: Path) -> WatermarkKey:
    """Return the private key in a file of hexadecimal digits.

    Raises
    ------
    ControlError
        If the file cannot be read, or holds no key or the public one.
    """
    try:
        text = read_regular_file(path, MAX_FILE_BYTES).decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    except (OSError, ValueError) as error:
        raise ControlError(f"{path}: the watermark key cannot be read: {_why(error)}") from None
    try:
        key = WatermarkKey.from_hex(text)
    except KeyForm as error:
        raise ControlError(f"{path}: {error}") from None
    if key == DEFAULT_KEY:
        raise ControlError(
            f"{path} holds no private watermark key; needed: 16 to {2 * MAX_KEY_BYTES} hexadecimal digits"
        )
    return key


def write_key(key: WatermarkKey, path: Path) -> None:
    """Write a key for this user alone; the file holds all of it or is not there.

    Raises
    ------
    ControlError
        If that name is taken or cannot be written.
    """
    if os.path.lexists(path):
        raise ControlError(f"'{path}' exists already; give the key another name")
    try:
        replace_file(path, f"{key.secret.hex()}\n".encode(), mode=0o600)
    except (OSError, ValueError) as error:
        raise ControlError(f"'{path}' cannot be written: {_why(error)}") from None


def keep_key(key: WatermarkKey) -> None:
    """Keep a key in the data folder. Safe among processes.

    Raises
    ------
    ConsentError
        If the folder cannot be written.
    ControlError
        If the key cannot, or a damaged one lies in its place.
    """
    with locked_papers():
        path = key_file(key.fingerprint)
        if not os.path.lexists(path):
            write_key(key, path)
    kept_key(key.fingerprint)


def kept_key(fingerprint: str) -> WatermarkKey:
    """Return a key that is kept here.

    Raises
    ------
    ControlError
        If it is not, or its file is damaged.
    """
    path = key_file(fingerprint)
    key = read_key(path)
    if key.fingerprint != fingerprint:
        raise ControlError(f"{path}: the watermark key is another one than its name says")
    return key


def kept_keys() -> list[WatermarkKey]:
    """Return all keys that are kept here and can be read."""
    found = []
    for path in sorted(papers_folder().glob(f"{PREFIX}*{ENDING}")):
        try:
            found.append(kept_key(path.name.removeprefix(PREFIX).removesuffix(ENDING)))
        except (ControlError, ConsentError):
            continue
    return found


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
