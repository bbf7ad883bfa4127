"""Put voices into the user's folder, rename them, take them away; the audit log is told first."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ..data_folder import with_home
from ..errors import VoiceError
from ..papers import audit
from ..papers.bundle import SUFFIX
from ..voice_file import Voice
from ..voice_library import list_voices, user_voices_folder, voice_path
from ..voice_on_disk import load_voice, save_bundle, shown
from .voice_names import checked_voice_name

_REPLACE: Final = ", or give --replace"


def free_path(name: str, replaces: bool = False) -> Path:
    """Return where a voice of that name belongs.

    Parameters
    ----------
    name
        Of the file, without ending.
    replaces
        Whether one of that name may be overwritten, or one that comes with vcfx hidden.

    Raises
    ------
    VoiceError
        If it may not be a name, or is taken; upper and lower case do not tell names apart.
    """
    name = checked_voice_name(name)
    for origin, taken in _taken_names():
        if taken.casefold() == name.casefold() and not (replaces and taken == name):
            whose = "comes with vcfx" if origin == "vcfx" else "is there already"
            raise VoiceError(f"a voice '{taken}' {whose}; choose another name" + ("" if taken != name else _REPLACE))
    return user_voices_folder() / f"{name}{SUFFIX}"


def add_voice(bundle: bytes, path: Path) -> None:
    """Write a bundle that was issued or imported to a `free_path`.

    Raises
    ------
    VoiceError
        If it cannot be written.
    """
    save_bundle(bundle, path)


def rename_voice(name: str, new_name: str) -> Path:
    """Give a voice of the user's another name; returns its new path.

    Raises
    ------
    VoiceError
        If there is none, it comes with vcfx, or the new name may not be or is taken.
    ConsentError
        If the log cannot be written.
    """
    old = own_path(name)
    new_name = checked_voice_name(new_name)
    same_letters = new_name.casefold() == old.stem.casefold()
    new = old.with_name(f"{new_name}{SUFFIX}") if same_letters else free_path(new_name)
    audit.append("renamed", detail_of(old) | {"voice": old.stem, "new_name": new.stem})
    try:
        if same_letters or not os.path.lexists(new):
            os.rename(old, new)
            return new
    except OSError as error:
        raise VoiceError(f"{shown(old)}: cannot be renamed: {error.strerror or error}") from None
    raise VoiceError(f"a voice '{new_name}' is there already; choose another name")


def remove_voice(name: str) -> Path:
    """Remove a voice's file from the user's folder; returns its path. What the log says of it stays.

    Raises
    ------
    VoiceError
        If there is none, it comes with vcfx, or cannot be removed.
    ConsentError
        If the log cannot be written.
    """
    path = own_path(name)
    audit.append("removed", detail_of(path) | {"voice": path.stem})
    try:
        path.unlink()
    except OSError as error:
        raise VoiceError(f"{shown(path)}: cannot be removed: {error.strerror or error}") from None
    return path


def own_path(name: str) -> Path:
    """Return the file of one of the user's voices.

    Raises
    ------
    VoiceError
        If there is none of that name, or it comes with vcfx.
    """
    path = voice_path(name or " ")
    if path.parent != user_voices_folder():
        if str(path) in (name, str(with_home(Path(name)))):
            raise VoiceError(f"{shown(path)} is a file; name a voice of your own folder: vcfx voices list")
        raise VoiceError(f"the voice '{name}' comes with vcfx and stays as it is")
    return path


def detail_of(voice: Voice | Path) -> audit.Detail:
    """Return what the log holds of a voice; of a damaged file, its name."""
    if isinstance(voice, Path):
        try:
            return detail_of(load_voice(voice))
        except VoiceError:
            return {"voice": voice.stem}
    detail: audit.Detail = {"voice": voice.name}
    if voice.papers is not None:
        detail |= {"voice_id": voice.papers.voice_id, "consent": voice.papers.consent.consent_id}
    return detail


def _taken_names() -> list[tuple[str, str]]:
    return [(info.origin, info.name) for info in list_voices()]
