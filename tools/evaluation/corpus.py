"""The speech that conversions are measured on: a folder with MANIFEST.tsv and one tar per set."""

from __future__ import annotations

import csv
import io
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from .errors import EvaluationError
from .sound import Sound

MANIFEST = "MANIFEST.tsv"


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of the manifest."""

    set: str
    speaker: str
    gender: str
    split: str
    path: str
    seconds: float
    text: str

    @property
    def name(self) -> str:
        """File name without folder and ending."""
        return Path(self.path).stem


def read_manifest(folder: Path) -> list[Clip]:
    """Return every clip that a corpus folder lists, in the order of its manifest.

    Raises
    ------
    EvaluationError
        If there is no manifest.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise EvaluationError(f"there is no corpus at '{folder}': it lacks {MANIFEST}")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [_clip(row) for row in rows]


def _clip(row: dict[str, str]) -> Clip:
    seconds = float(row["seconds"])
    return Clip(row["set"], row["speaker"], row["gender"], row["split"], row["path"], seconds, row["text"])


@cache
def _archive(path: Path) -> tarfile.TarFile:
    if not path.is_file():
        raise EvaluationError(f"the corpus lacks the archive '{path}'")
    return tarfile.open(path)


def read_clip(folder: Path, clip: Clip) -> Sound:
    """Decode one clip at the rate at which it is stored."""
    return read_member(folder / f"{clip.set}.tar", clip.path)


def read_member(archive: Path, member: str) -> Sound:
    """Decode one file of a tar."""
    import soundfile

    try:
        stream = _archive(archive).extractfile(member)
    except KeyError:
        stream = None
    if stream is None:
        raise EvaluationError(f"'{archive}' lacks '{member}', which the manifest names")
    audio, sample_rate = soundfile.read(io.BytesIO(stream.read()), dtype="float32", always_2d=True)
    return Sound(np.ascontiguousarray(audio.mean(axis=1), np.float32), int(sample_rate))
