"""Read recordings of a person, to make a voice of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vcfx.errors import AudioFileError
from vcfx_models.reference import MAX_CLIP_S, Clip

from .source import open_source

_BLOCK = 1 << 15


def read_clips(paths: Sequence[str]) -> list[Clip]:
    """Return the sound files as clips, each of at most 120 s.

    Raises
    ------
    AudioFileError
        If a file is missing or cannot be read as sound.
    """
    return [_read(Path(path).expanduser()) for path in paths]


def _read(path: Path) -> Clip:
    if not path.exists():
        raise AudioFileError(f"{path}: there is no such recording")
    source = open_source(path)
    try:
        blocks, frames = [np.zeros((0, source.channels), np.float32)], 0
        while frames < MAX_CLIP_S * source.sample_rate and len(block := source.read(_BLOCK)):
            blocks.append(block.copy())
            frames += len(block)
    finally:
        source.close()
    return Clip(np.ascontiguousarray(np.concatenate(blocks).T), source.sample_rate, str(path))
