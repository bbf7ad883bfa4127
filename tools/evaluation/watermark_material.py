"""Speech that the mark is measured on: of speakers that its detector was not trained on."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from .corpus import Clip, read_clip, read_manifest, read_member
from .errors import EvaluationError
from .sound import Sound, load_sound

#: Quieter pieces hold no speech that could carry a mark (RMS, full scale 1).
QUIETEST: Final = 0.003
MARKED_HZ: Final = 48_000


def is_for_tests(clip: Clip) -> bool:
    """Whether a clip's speaker is held out: half of the speakers, and all of the corpus's dev splits."""
    return clip.split != "train" or hashlib.sha256((clip.set + clip.speaker).encode()).digest()[0] < 128


def speakers_for_tests(corpus: Path) -> dict[tuple[str, str], list[Clip]]:
    """Return the held-out speakers' clips."""
    found: dict[tuple[str, str], list[Clip]] = {}
    for clip in read_manifest(corpus):
        if is_for_tests(clip):
            found.setdefault((clip.set, clip.speaker), []).append(clip)
    return found


def long_pieces(corpus: Path, seconds: float, count: int, seed: int) -> Iterator[Sound]:
    """Yield pieces of at least `seconds`, one speaker's clips joined where one is too short; sets take turns."""
    rng = np.random.default_rng(seed)
    by_set: dict[str, list[list[Clip]]] = {}
    for (name, _), clips in speakers_for_tests(corpus).items():
        if sum(clip.seconds for clip in clips) >= seconds:
            by_set.setdefault(name, []).append(clips)
    names = sorted(by_set)
    if not names:
        raise EvaluationError(f"the corpus '{corpus}' has no held-out speaker with {seconds:g} s of speech")
    for index in range(count):
        speakers = by_set[names[index % len(names)]]
        yield _joined(corpus, speakers[rng.integers(len(speakers))], seconds, rng)


def _joined(corpus: Path, clips: list[Clip], seconds: float, rng: np.random.Generator) -> Sound:
    parts: list[Sound] = []
    for index in rng.permutation(len(clips)):
        sound = read_clip(corpus, clips[index])
        if not parts or sound.sample_rate == parts[0].sample_rate:
            parts.append(sound)
        if sum(part.seconds for part in parts) >= seconds:
            break
    return Sound(np.concatenate([part.audio for part in parts]), parts[0].sample_rate)


def pieces(sound: Sound, seconds: float) -> Iterator[Sound]:
    """Cut a sound into pieces of one length; what is left over is dropped."""
    frames = round(seconds * sound.sample_rate)
    for start in range(0, sound.audio.size - frames + 1, frames):
        yield Sound(sound.audio[start : start + frames], sound.sample_rate)


def speech_pieces(corpus: Path, seconds: float) -> Iterator[Sound]:
    """Yield every piece of every held-out speaker's clips, clip after clip."""
    for clips in speakers_for_tests(corpus).values():
        for clip in clips:
            yield from pieces(read_clip(corpus, clip), seconds)


def file_pieces(folder: Path, seconds: float) -> Iterator[Sound]:
    """Yield every piece of a folder's sound files, such as conversions without a mark; sources are left out."""
    for path in sorted(folder.glob("*.wav")):
        if not path.stem.endswith("_src"):
            yield from pieces(load_sound(path), seconds)


def tar_pieces(archive: Path, members: list[str], seconds: float) -> Iterator[Sound]:
    """Yield every piece of a tar's members."""
    for member in members:
        yield from pieces(read_member(archive, member), seconds)


def noise_members(folder: Path) -> list[str]:
    """Return what a noise folder's manifest lists."""
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        return [row["path"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]


def made_pieces(seconds: float, count: int, seed: int) -> Iterator[Sound]:
    """Yield silence, tones, chords, hum and noises of several colours."""
    rng = np.random.default_rng(seed)
    rate = 16_000
    time_s = np.arange(round(seconds * rate)) / rate
    for index in range(count):
        tones = rng.uniform(80, 3_500, rng.integers(1, 6))
        chord = sum(np.sin(2 * np.pi * hz * time_s * (1 + rng.choice([0.0, 0.02]) * time_s)) for hz in tones)
        colour = np.fft.irfft(
            np.fft.rfft(rng.standard_normal(time_s.size)) / (1 + np.arange(time_s.size // 2 + 1)) ** rng.uniform(0, 1)
        )
        made = (0.0 * time_s, 0.1 * chord, 0.1 * colour / colour.std(), 0.1 * chord + 0.003 * colour / colour.std())
        yield Sound(np.asarray(made[index % len(made)], np.float32), rate)


def is_loud_enough(sound: Sound) -> bool:
    """Whether there is speech enough to carry a mark."""
    return float(np.sqrt(np.mean(sound.audio.astype(np.float64) ** 2))) >= QUIETEST
