"""Stage 1: every clip at 24 kHz mono, with its speech at one level, as one long array."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from rich.progress import track

from vcfx_models.speech_level import Mono, levelled

from .corpus_files import RATE_HZ, Clip, CorpusError, save_stream, write_clips, write_rows
from .corpus_sources import Piece, find_sources, read_rows, tar_pieces

FULL_SCALE: Final = 32_768

Pcm = npt.NDArray[np.int16]


def decode(piece: Piece) -> Mono:
    """Return a recording as mono at 24 kHz."""
    try:
        audio, rate_hz = soundfile.read(piece.open(), dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise CorpusError(f"{piece.path} at byte {piece.offset} is not readable as audio: {error}") from error
    mono = np.ascontiguousarray(audio.mean(axis=1))
    return mono if rate_hz == RATE_HZ else np.asarray(soxr.resample(mono, rate_hz, RATE_HZ, "VHQ"), np.float32)


def as_pcm(mono: Mono) -> Pcm:
    """Return 16-bit samples."""
    return np.clip(np.rint(mono * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _levelled_pcm(piece: Piece) -> Pcm:
    return as_pcm(levelled(decode(piece)))


def _pcm(piece: Piece) -> Pcm:
    return as_pcm(decode(piece))


def make_audio(folder: Path, data: Path, pair_folders: list[Path], pool: Pool) -> list[Clip]:
    """Write audio.npy and the first clips.tsv."""
    sources = find_sources(data, pair_folders)
    pieces = pool.imap(_levelled_pcm, [source.piece for source in sources], chunksize=16)
    lengths = save_stream(folder / "audio.npy", track(pieces, "audio", total=len(sources)), np.int16)
    clips = [source.clip for source in sources]
    start = 0
    for clip, frames in zip(clips, lengths, strict=True):
        clip.start, clip.frames = start, frames
        start += frames
    write_clips(folder, clips)
    return clips


def make_noise(folder: Path, data: Path, pool: Pool) -> int:
    """Write noise.npy (24 kHz, level as recorded) and noise.tsv; return the number of noises."""
    rows = read_rows(data / "noise" / "MANIFEST.tsv")
    members = tar_pieces(data / "noise" / "noise.tar")
    if missing := [row["path"] for row in rows if row["path"] not in members]:
        raise CorpusError(f"{missing[0]} is in the noise manifest but not in noise.tar")
    pieces = pool.imap(_pcm, [members[row["path"]] for row in rows], chunksize=4)
    lengths = save_stream(folder / "noise.npy", track(pieces, "noise", total=len(rows)), np.int16)
    starts = np.cumsum([0, *lengths[:-1]])
    write_rows(
        folder / "noise.tsv",
        ("start", "frames", "licence", "description", "source"),
        ((s, n, r["licence"], r["description"], r["path"]) for s, n, r in zip(starts, lengths, rows, strict=True)),
    )
    return len(rows)


def each_clip(folder: Path, clips: list[Clip]) -> Iterator[tuple[str, int, int]]:
    """Yield (file, start, frames) of each clip, for workers that open the array themselves."""
    path = str(folder / "audio.npy")
    for clip in clips:
        yield path, clip.start, clip.frames


def read_clip(place: tuple[str, int, int]) -> Mono:
    """Return the samples of a clip, -1 to 1."""
    path, start, frames = place
    pcm = np.load(path, mmap_mode="r")[start : start + frames]
    return (pcm / np.float32(FULL_SCALE)).astype(np.float32)
