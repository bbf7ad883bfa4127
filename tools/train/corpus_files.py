"""Files of the training corpus: written under a temporary name, then renamed, so that a file that is there is whole."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

RATE_HZ: Final = 24_000
HEADER_BYTES: Final = 128
CLIPS_NAME: Final = "clips.tsv"


class CorpusError(Exception):
    """Something that the corpus is made of is missing or not as expected; one sentence for the user."""


@dataclass(slots=True)
class Clip:
    """One row of clips.tsv; -1 or 0 in a column of a later stage: not made, or nothing there for this clip.

    Parameters
    ----------
    clip, start, frames
        Number; first sample and samples in audio.npy.
    kind, set, source
        ``real`` or ``kokoro``; where it comes from; path of the recording within its set's archive.
    speaker, gender, split, bandwidth_hz, voice, text
        As in the manifests; a Kokoro voice is a JSON object of weights, its gender that of the heaviest part.
    partner
        Clip that says the same with the same timing, or -1; the lengths may differ by some milliseconds.
    f0_start
        First frame (5 ms) in f0_hz.npy and strength.npy; there are frames // 120 + 1.
    content_start, content_frames
        Frames (25 ms) in content/token_of_frame.npy.
    tokens_start, tokens_count
        Phoneme symbols of the transcript in tokens.npy.
    """

    clip: int
    start: int
    frames: int
    kind: str
    set: str
    speaker: str
    gender: str
    split: str
    bandwidth_hz: int
    partner: int
    voice: str
    text: str
    source: str
    f0_start: int = -1
    content_start: int = -1
    content_frames: int = 0
    tokens_start: int = -1
    tokens_count: int = 0


_WHOLE_NUMBERS: Final = frozenset(f.name for f in fields(Clip) if f.type == "int")


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then give it its name."""
    part = path.with_name(f"{path.name}.part")
    write(part)
    os.replace(part, path)


def save_array(path: Path, values: npt.NDArray[Any]) -> None:
    """Write one .npy file."""

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.save(file, values)

    write_whole(path, write)


def save_stream(path: Path, pieces: Iterable[npt.NDArray[Any]], dtype: npt.DTypeLike) -> list[int]:
    """Write 1-D arrays one after the other as one .npy file, without holding them; return their lengths."""
    lengths: list[int] = []

    def write(part: Path) -> None:
        with part.open("wb") as file:
            file.write(bytes(HEADER_BYTES))
            for piece in pieces:
                file.write(np.ascontiguousarray(piece, dtype).tobytes())
                lengths.append(piece.size)
            file.seek(0)
            file.write(_header(sum(lengths), np.dtype(dtype)))

    write_whole(path, write)
    return lengths


def _header(count: int, dtype: np.dtype[Any]) -> bytes:
    """Return the head of a .npy file, which NumPy pads to a multiple of 64 bytes."""
    head = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(head, description)
    if head.tell() != HEADER_BYTES:
        raise CorpusError(f"the .npy header has {head.tell()} bytes; expected: {HEADER_BYTES}")
    return head.getvalue()


def write_rows(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a tab-separated file without quoting; tabs and line ends inside values become spaces."""

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8") as file:
            file.write("\t".join(names) + "\n")
            for row in rows:
                file.write("\t".join(" ".join(str(value).split()) for value in row) + "\n")

    write_whole(path, write)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a tab-separated file without quoting."""
    if not path.is_file():
        raise CorpusError(f"{path} is missing")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def write_clips(folder: Path, clips: Sequence[Clip]) -> None:
    """Write clips.tsv."""
    write_rows(folder / CLIPS_NAME, [f.name for f in fields(Clip)], (asdict(clip).values() for clip in clips))  # type: ignore[misc]


def read_clips(folder: Path) -> list[Clip]:
    """Read clips.tsv."""
    return [
        Clip(**{name: int(value) if name in _WHOLE_NUMBERS else value for name, value in row.items()})  # type: ignore[arg-type]
        for row in read_rows(folder / CLIPS_NAME)
    ]
