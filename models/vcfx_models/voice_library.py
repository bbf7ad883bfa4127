"""Where voices are found: the user's folder first, then those that come with vcfx; or any file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from vcfx_dsp.errors import nearest

from .errors import VoiceError
from .voice_file import SUFFIX, Voice, load_voice

#: Holds the voices that come with vcfx.
VOICES_FOLDER = Path(__file__).parent / "voices"


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """What a list of voices shows.

    Parameters
    ----------
    name
        What `find_voice` takes: the file's name without its ending.
    origin
        ``user`` for the user's folder, ``vcfx`` for one that comes with vcfx.
    path
        Its file.
    voice
        None if the file is damaged.
    problem
        What is wrong with the file; empty if nothing is.
    """

    name: str
    origin: Literal["user", "vcfx"]
    path: Path
    voice: Voice | None
    problem: str = ""


def user_voices_folder() -> Path:
    """Return the folder of the user's own voices; it need not exist."""
    return platformdirs.user_data_path("vcfx") / "voices"


def list_voices() -> list[VoiceInfo]:
    """Return all voices by name; one of the user's hides one of ours with the same name."""
    return [_info(path, origin) for path, origin in _files().values()]


def find_voice(name_or_path: str | Path) -> Voice:
    """Return a checked voice.

    Parameters
    ----------
    name_or_path
        A name, empty for the first of all; or the path of a file: a `Path`, or text that ends in ``.safetensors`` or
        holds a separator.

    Raises
    ------
    VoiceError
        If there is none, or its file is damaged.
    """
    if isinstance(name_or_path, Path) or _is_path(name_or_path):
        return load_voice(Path(name_or_path).expanduser())
    files = _files()
    if not files:
        asked = f"there is no voice '{name_or_path}', as none is installed" if name_or_path else "no voice is installed"
        raise VoiceError(f"{asked}; give the path of a voice file, or recordings with --reference")
    name = name_or_path or next(iter(files))
    if name not in files:
        raise VoiceError(f"there is no voice '{name}'{nearest(name, files)}")
    return load_voice(files[name][0])


def _files() -> dict[str, tuple[Path, Literal["user", "vcfx"]]]:
    found: dict[str, tuple[Path, Literal["user", "vcfx"]]] = {}
    for path in _voice_files(VOICES_FOLDER):
        found[path.stem] = (path, "vcfx")
    for path in _voice_files(user_voices_folder()):
        found[path.stem] = (path, "user")
    return dict(sorted(found.items()))


def _voice_files(folder: Path) -> list[Path]:
    """Return a folder's voice files; what is being written has another ending."""
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def _info(path: Path, origin: Literal["user", "vcfx"]) -> VoiceInfo:
    try:
        return VoiceInfo(path.stem, origin, path, load_voice(path))
    except VoiceError as error:
        return VoiceInfo(path.stem, origin, path, None, str(error))


def _is_path(text: str) -> bool:
    return text.endswith(SUFFIX) or any(separator in text for separator in ("/", "\\"))
