"""Feed damaged sound files to the conversion and count what happens.

    python tools/fuzz_files.py --count 2000 --seed 1 --jobs 2 [--keep FOLDER]

Small valid files of every format are truncated, flipped, spliced, given absurd header fields and wrong extensions.
Every mutation is converted in a worker process with a time and a memory limit. The aim: each is converted or refused
with a sentence; none crashes, hangs or raises anything else. Exit code 1 if one does; --keep stores it.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from vcfx.files.conversion import ConvertOptions
from vcfx.files.pool import WorkerPool
from vcfx.files.renderer import Block, RendererFactory, RendererSource
from vcfx.files.result import Result
from vcfx.files.target import part_beside
from vcfx.files.worker import Task

MEMORY_LIMIT_MIB = 2048
TIME_LIMIT_S = 30.0
TARGETS = ("wav", "flac", "mp3", "ogg", "opus", "aiff")
_BATCH = 220
_MODULE = "tools.fuzz_files" if __name__ != "__main__" else "fuzz_files"
_EXTREMES = (0, 1, 2, 3, 7, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_LIBSNDFILE_SEEDS = (
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAV", "PCM_U8"),
    ("wav", "WAV", "FLOAT"),
    ("wav", "WAV", "MS_ADPCM"),
    ("wav", "WAVEX", "PCM_24"),
    ("wav", "RF64", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    ("flac", "FLAC", "PCM_24"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("aiff", "AIFF", "PCM_16"),
    ("aiff", "AIFF", "FLOAT"),
    ("au", "AU", "PCM_16"),
    ("caf", "CAF", "PCM_16"),
    ("w64", "W64", "PCM_16"),
)
_FFMPEG_SEEDS = (("m4a", "aac"), ("mp4", "aac"), ("mkv", "flac"), ("webm", "libopus"), ("wma", "wmav2"), ("aac", "aac"))


class Unchanged:
    """A renderer that hands its input on."""

    latency_samples = 0
    tail_samples = 0

    def __init__(self, sample_rate: int, channels: int, max_frames: int) -> None:
        self.sample_rate, self.channels, self.max_frames = sample_rate, channels, max_frames

    def process(self, block: Block) -> Block:
        """Return the block itself."""
        return block

    def reset(self) -> None:
        """Forget nothing."""


def unchanged_within(limit_mib: str) -> RendererFactory:
    """Limit the worker's memory, then make renderers that change nothing."""
    if sys.platform != "win32":
        import resource

        limit = int(limit_mib) << 20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return Unchanged


def valid_files(folder: Path) -> dict[str, bytes]:
    """Make one short file of each format; name -> content."""
    rng = np.random.default_rng(0)
    for number, (extension, container, subtype) in enumerate(_LIBSNDFILE_SEEDS):
        path = folder / f"{number}-{subtype.lower()}.{extension}"
        with soundfile.SoundFile(path, "w", 48000, 1 + number % 2, format=container, subtype=subtype) as file:
            with contextlib.suppress(soundfile.SoundFileError):  # not every format holds a title
                file.title = "A title"
            file.write(rng.uniform(-0.5, 0.5, (12_000, 1 + number % 2)))
    command = shutil.which("ffmpeg")
    if command:
        source = str(folder / "0-pcm_16.wav")
        for extension, codec in _FFMPEG_SEEDS:
            target = str(folder / f"ffmpeg-{codec}.{extension}")
            subprocess.run([command, "-nostdin", "-v", "error", "-i", source, "-c:a", codec, target], check=True)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def truncated(chance: random.Random, data: bytearray) -> None:
    """Cut the end off."""
    del data[chance.randrange(len(data)) :]


def flipped(chance: random.Random, data: bytearray) -> None:
    """Flip bits anywhere."""
    for _ in range(chance.choice((1, 4, 16, 256))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def garbled_header(chance: random.Random, data: bytearray) -> None:
    """Write random bytes into the first 128."""
    for _ in range(chance.choice((1, 4, 16, 64))):
        data[chance.randrange(min(128, len(data)))] = chance.randrange(256)


def absurd_field(chance: random.Random, data: bytearray) -> None:
    """Write extreme numbers where rates, channels and lengths stand."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(min(160, len(data) - 8))
        kind = chance.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
        value = chance.choice(_EXTREMES) & ((1 << (8 * struct.calcsize(kind))) - 1)
        struct.pack_into(kind, data, at, value)


def repeated(chance: random.Random, data: bytearray) -> None:
    """Insert a stretch of the file somewhere else."""
    start, at = chance.randrange(len(data)), chance.randrange(len(data))
    data[at:at] = data[start : start + chance.randrange(1, 2000)]


def blanked(chance: random.Random, data: bytearray) -> None:
    """Set a stretch to one value."""
    at, length = chance.randrange(len(data)), chance.randrange(1, 4000)
    stretch = data[at : at + length]
    data[at : at + length] = bytes([chance.choice((0, 0xFF))]) * len(stretch)


MUTATIONS = (truncated, flipped, garbled_header, absurd_field, absurd_field, repeated, blanked)


def mutated(chance: random.Random, content: bytes) -> bytes:
    """Return a file's content with up to three mutations, mostly one."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if len(data) > 16:
            chance.choice(MUTATIONS)(chance, data)
    return bytes(data)


def mutations(folder: Path, seeds: dict[str, bytes], count: int, seed: int) -> Iterator[Task]:
    """Write damaged files and yield a task for each."""
    chance = random.Random(seed)
    names = sorted(seeds)
    for number in range(count):
        name = names[number % len(names)]
        data = mutated(chance, seeds[name])
        extension = name.rsplit(".", 1)[1] if chance.random() < 0.85 else chance.choice(names).rsplit(".", 1)[1]
        source = folder / f"{number:06}-{name.rsplit('.', 1)[0]}.{extension}"
        source.write_bytes(data)
        target = folder / f"{number:06}.out.{chance.choice(TARGETS)}"
        yield Task(source, target, part_beside(target), source.name, target.name, ConvertOptions())


@dataclass(slots=True)
class Tally:
    """What came of all mutations.

    Parameters
    ----------
    counts
        "converted", "refused", and what must stay 0: "failed", "crashed", "stalled", "unreadable", "leftovers".
    bad
        One line for each that is neither converted nor refused.
    """

    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    bad: list[str] = field(default_factory=list)

    def add(self, task: Task, result: Result, keep: Path | None) -> None:
        """Count one result, and look at what it left on the disk."""
        verdict = result.error_kind or _verdict_of_output(task.target)
        self.counts[verdict] += 1
        if task.part.exists() or (verdict != "converted" and task.target.exists()):
            self.counts["leftovers"] += 1
            self._tell(f"{task.source.name}: left something behind")
        if verdict not in ("converted", "refused"):
            self._tell(f"{task.source.name} -> {task.target.suffix}: {verdict}: {result.error}")
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                shutil.copy(task.source, keep)
        task.source.unlink()
        task.target.unlink(missing_ok=True)

    def _tell(self, line: str) -> None:
        self.bad.append(line)
        print(line, file=sys.stderr, flush=True)


def _verdict_of_output(target: Path) -> str:
    """Say whether a file that was reported as converted can be read."""
    try:
        return "converted" if soundfile.info(target).frames > 0 else "unreadable"
    except (OSError, soundfile.SoundFileError):
        return "unreadable"


def fuzz(count: int, seed: int, jobs: int, keep: Path | None = None) -> Tally:
    """Convert `count` damaged files."""
    tally = Tally()
    renderers = RendererSource(_MODULE, "unchanged_within", str(MEMORY_LIMIT_MIB))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        (Path(name) / "valid").mkdir()
        seeds = valid_files(Path(name) / "valid")
        for start in range(0, count, _BATCH):
            batch = list(mutations(Path(name), seeds, min(_BATCH, count - start), seed * 1_000_003 + start))
            with WorkerPool(batch, renderers, jobs, TIME_LIMIT_S) as pool:
                for index, event in pool.events():
                    if isinstance(event, Result):
                        tally.add(batch[index], event, keep)
            print(f"{start + len(batch)} tried: {dict(tally.counts)}", file=sys.stderr, flush=True)
    return tally


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="copy what crashed, hung or failed into this folder")
    options = parser.parse_args()
    started = time.monotonic()
    tally = fuzz(options.count, options.seed, options.jobs, options.keep)
    print(f"seed {options.seed}: {options.count} tried in {time.monotonic() - started:.0f} s: {dict(tally.counts)}")
    return 1 if tally.bad else 0


if __name__ == "__main__":
    sys.exit(main())
