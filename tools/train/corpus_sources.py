"""Which clips the corpus is made of, and where their encoded bytes lie."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .corpus_files import Clip, CorpusError, read_rows

KOKORO_BANDWIDTH_HZ: Final = 12_000
PAIR_SIDES: Final = ("a", "b")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of bytes in a file: a whole file if `size` is -1, else a member of an uncompressed tar."""

    path: Path
    offset: int = 0
    size: int = -1

    def open(self) -> io.BytesIO:
        """Return the bytes as a file in memory."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return io.BytesIO(file.read(self.size))


@dataclass(frozen=True, slots=True)
class Source:
    """A clip that has no samples yet, and its bytes."""

    clip: Clip
    piece: Piece


def tar_pieces(path: Path) -> dict[str, Piece]:
    """Return where each member of an uncompressed tar lies."""
    if not path.is_file():
        raise CorpusError(f"{path} is missing")
    with tarfile.open(path, "r:") as archive:
        return {m.name: Piece(path, m.offset_data, m.size) for m in archive if m.isfile()}


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a .jsonl file; a last line that is still being written is left out."""
    if not path.is_file():
        raise CorpusError(f"{path} is missing")
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def pair_records(data: Path, pair_folders: list[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (set, record) of each pair of Kokoro voices, those of the data folder first."""
    for record in read_records(data / "parallel" / "meta.jsonl"):
        yield "parallel", record
    for folder in pair_folders:
        if not (metas := sorted(folder.glob("meta.*.jsonl"))):
            raise CorpusError(f"{folder} has no meta.*.jsonl")
        seen: set[str] = set()
        for record in (r for meta in metas for r in read_records(meta)):
            if record["id"] not in seen:
                seen.add(record["id"])
                yield folder.name, record


def find_sources(data: Path, pair_folders: list[Path]) -> list[Source]:
    """Return all clips: real recordings, pairs of Kokoro voices, then Kokoro's versions of real recordings."""
    sources = _real_sources(data)
    number_of = {source.clip.source: source.clip.clip for source in sources}
    sources += _pair_sources(data, pair_folders, len(sources))
    sources += _real_pair_sources(data, sources, number_of)
    return sources


def _real_sources(data: Path) -> list[Source]:
    rows = read_rows(data / "real" / "MANIFEST.tsv")
    pieces = {name: tar_pieces(data / "real" / f"{name}.tar") for name in sorted({row["set"] for row in rows})}
    sources = []
    for number, row in enumerate(rows):
        if row["path"] not in pieces[row["set"]]:
            raise CorpusError(f"{row['path']} is in the manifest but not in {row['set']}.tar")
        clip = Clip(
            clip=number,
            start=-1,
            frames=0,
            kind="real",
            set=row["set"],
            speaker=row["speaker"],
            gender=row["gender"],
            split=row["split"],
            bandwidth_hz=round(float(row["bandwidth_hz"])),
            partner=-1,
            voice="",
            text=row["text"] or "",
            source=row["path"],
        )
        sources.append(Source(clip, pieces[row["set"]][row["path"]]))
    return sources


def _kokoro_clip(number: int, set_name: str, voice: dict[str, float], partner: int, text: str, source: str) -> Clip:
    parts = sorted(voice.items(), key=lambda part: -part[1])
    return Clip(
        clip=number,
        start=-1,
        frames=0,
        kind="kokoro",
        set=set_name,
        speaker="+".join(name if weight == 1 else f"{name}:{weight:g}" for name, weight in parts),
        gender=parts[0][0][1],
        split="train",
        bandwidth_hz=KOKORO_BANDWIDTH_HZ,
        partner=partner,
        voice=json.dumps(voice),
        text=text,
        source=source,
    )


def _pair_sources(data: Path, pair_folders: list[Path], first: int) -> list[Source]:
    packed = tar_pieces(data / "parallel" / "parallel.tar")
    loose = {folder.name: folder for folder in pair_folders}
    sources: list[Source] = []
    for set_name, record in pair_records(data, pair_folders):
        number = first + len(sources)
        for side, own, other in zip(PAIR_SIDES, (number, number + 1), (number + 1, number), strict=True):
            name = f"{record['id']}_{side}"
            piece = Piece(loose[set_name] / f"{name}.flac") if set_name in loose else packed[f"{name}.opus"]
            clip = _kokoro_clip(own, set_name, record[side]["voice"], other, record["text"], f"{set_name}/{name}")
            sources.append(Source(clip, piece))
    return sources


def _real_pair_sources(data: Path, known: list[Source], number_of: dict[str, int]) -> list[Source]:
    pieces = tar_pieces(data / "real_pairs" / "real_pairs.tar")
    sources: list[Source] = []
    for record in read_records(data / "real_pairs" / "meta.jsonl"):
        number, real = len(known) + len(sources), known[number_of[record["path"]]].clip
        real.partner = number
        clip = _kokoro_clip(number, "real_pairs", record["voice"], real.clip, real.text, f"real_pairs/{record['path']}")
        sources.append(Source(clip, pieces[record["path"].replace("/", "__")]))
    return sources
