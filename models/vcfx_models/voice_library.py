"""Where voices are found: the user's folder first, then those that come with vcfx; or any file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vcfx_dsp.errors import nearest

from .data_folder import data_folder, with_home
from .errors import ConsentError, VoiceError
from .one_line import is_one_line
from .papers.admission import admit, note_refusal, refusals
from .papers.bundle import SUFFIX
from .voice_file import Voice
from .voice_on_disk import load_voice, shown

#: Holds the voices that come with vcfx.
VOICES_FOLDER = Path(__file__).parent / "voices"
#: Letters of a file's name.
MAX_NAME = 255


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
    refused
        Use (one of `papers.consent.USES`) -> why the papers do not allow it now; uses that are allowed are not there.
    """

    name: str
    origin: Literal["user", "vcfx"]
    path: Path
    voice: Voice | None
    problem: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)


def user_voices_folder() -> Path:
    """Return the folder of the user's own voices; it need not exist."""
    return data_folder() / "voices"


def list_voices() -> list[VoiceInfo]:
    """Return all voices by name; one of the user's hides one of ours with the same name."""
    return [_info(path, origin) for path, origin in _files().values()]


def find_voice(name_or_path: str | Path, use: str, needs_liveness: bool = False, notes_use: bool = True) -> Voice:
    """Return a voice whose papers allow this use now. Every path to the engine asks here.

    Parameters
    ----------
    name_or_path
        A name, empty for the first of all; or the path of a file: a `Path`, or text that ends in ``.vcfxvoice`` or
        holds a separator.
    use
        What it will be used for, one of `papers.consent.USES`.
    needs_liveness
        Whether only a voice will do that was enrolled by a person found living.
    notes_use
        Whether the audit log is to tell of the use; False for a mere check.

    Raises
    ------
    VoiceError
        If there is none, or its file is damaged.
    ConsentError
        If its papers are missing or forged, or do not allow it.
    """
    path = voice_path(name_or_path)
    try:
        voice = load_voice(path)
    except ConsentError as error:  # no papers, or forged ones
        note_refusal(use, str(error), {"file": shown(path)})
        raise
    return admit(voice, shown(path), use, needs_liveness, notes_use)


def peek_voice(name_or_path: str | Path) -> Voice:
    """Return a voice to look at, not to speak with: its signature was checked, what its papers allow was not.

    Raises
    ------
    VoiceError
        If there is none, or its file is damaged or forged.
    """
    return load_voice(voice_path(name_or_path))


def voice_path(name_or_path: str | Path) -> Path:
    """Return the file of a voice, which need not exist if a path was given.

    Raises
    ------
    VoiceError
        If there is no voice of that name.
    """
    if isinstance(name_or_path, Path) or _is_path(name_or_path):
        return with_home(Path(name_or_path))
    files = _files()
    if not files:
        asked = f"there is no voice '{name_or_path}', as none is installed" if name_or_path else "no voice is installed"
        raise VoiceError(f"{asked}; give the path of a voice file, or recordings with --reference")
    name = name_or_path or next(iter(files))
    if name not in files:
        raise VoiceError(f"there is no voice '{name}'{nearest(name, files)}")
    return files[name][0]


def _files() -> dict[str, tuple[Path, Literal["user", "vcfx"]]]:
    found: dict[str, tuple[Path, Literal["user", "vcfx"]]] = {}
    for path in _voice_files(VOICES_FOLDER):
        found[path.stem] = (path, "vcfx")
    for path in _voice_files(user_voices_folder()):
        found[path.stem] = (path, "user")
    return dict(sorted(found.items()))


def _voice_files(folder: Path) -> list[Path]:
    """Return a folder's voice files; what is being written has another ending, or a name that begins with a dot."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX and path.name[0] != ".")
    except OSError:  # no such folder, or one that may not be looked into
        return []


def _info(path: Path, origin: Literal["user", "vcfx"]) -> VoiceInfo:
    if not is_one_line(path.stem, 1, MAX_NAME):
        return VoiceInfo(
            repr(path.stem), origin, path, None, f"{path.name!r}: has a name that cannot be shown; rename it"
        )
    try:
        voice = load_voice(path)
    except VoiceError as error:
        return VoiceInfo(path.stem, origin, path, None, str(error))
    assert voice.papers is not None
    return VoiceInfo(path.stem, origin, path, voice, refused=refusals(voice.papers))


def _is_path(text: str) -> bool:
    return text.endswith(SUFFIX) or any(separator in text for separator in ("/", "\\"))
