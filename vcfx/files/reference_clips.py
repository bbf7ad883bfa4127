"""Read recordings of a person, to make a voice of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from vcfx.errors import AudioFileError
from vcfx_models.data_folder import with_home
from vcfx_models.reference import MAX_CLIP_S, Clip

from .formats import AUDIO_EXTENSIONS, extension_of
from .source import open_source

MAX_CLIPS: Final = 99
_BLOCK: Final = 1 << 15


def clip_paths(names: Sequence[str]) -> list[Path]:
    """Return the sound files that are named, and those in folders that are named.

    Raises
    ------
    AudioFileError
        If one is missing, a folder holds none, or there are more than 99.
    """
    found: list[Path] = []
    for path in (with_home(Path(name)) for name in names):
        if not path.exists():
            raise AudioFileError(f"{path}: there is no such recording")
        inside = [path]
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if extension_of(each) in AUDIO_EXTENSIONS)
        if not inside:
            raise AudioFileError(f"{path}: there is no recording in this folder")
        found += inside
    found = list(dict.fromkeys(found))
    if len(found) > MAX_CLIPS:
        raise AudioFileError(f"{len(found)} recordings are too many for one voice; allowed: 1 to {MAX_CLIPS}")
    return found


def read_clip(path: Path) -> Clip:
    """Return a sound file as a clip of at most 120 s.

    Raises
    ------
    AudioFileError
        If it cannot be read as sound.
    """
    source = open_source(path)
    try:
        blocks, frames = [np.zeros((0, source.channels), np.float32)], 0
        while frames < MAX_CLIP_S * source.sample_rate and len(block := source.read(_BLOCK)):
            blocks.append(block.copy())
            frames += len(block)
    finally:
        source.close()
    return Clip(np.ascontiguousarray(np.concatenate(blocks).T), source.sample_rate, str(path))


def sha256_of(path: Path) -> str:
    """Return the hash of a file's bytes, 64 hexadecimal digits.

    Raises
    ------
    AudioFileError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be read: {error.strerror or error}") from None
