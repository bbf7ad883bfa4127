"""Read and write voice bundles."""

from __future__ import annotations

from pathlib import Path

from .errors import VoiceError
from .papers.bundle import MAX_BYTES, read_bundle
from .regular_file import read_regular_file
from .voice_file import Voice
from .whole_file import replace_file


def save_bundle(bundle: bytes, path: Path) -> None:
    """Write a bundle; `path` holds either the old or the whole new content, whatever happens.

    Raises
    ------
    VoiceError
        If the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, bundle)
    except (OSError, ValueError) as error:
        raise VoiceError(f"{shown(path)}: cannot be written: {getattr(error, 'strerror', None) or error}") from None


def load_bundle(path: Path) -> bytes:
    """Return the content of a voice's file.

    Raises
    ------
    VoiceError
        If there is no such file, or it cannot be read.
    """
    try:
        return read_regular_file(path, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise VoiceError(f"{shown(path)}: there is no such voice file") from None
    except (OSError, ValueError) as error:
        raise VoiceError(f"{shown(path)}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def load_voice(path: Path) -> Voice:
    """Return the voice in a file with its papers, whose signature was found good; `voice_library` asks what they allow.

    Raises
    ------
    VoiceError
        If there is no such file, or it is damaged, forged, or made by a newer program.
    """
    return read_bundle(load_bundle(path), shown(path))


def shown(path: Path) -> str:
    """Return a path as errors may hold it."""
    text = str(path)
    return text if text.isprintable() else repr(text)
