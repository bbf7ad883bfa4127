"""Which recordings the detector of live voices learns from and is judged on, apart by speaker and by corpus."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from .corpus_audio import read_clip
from .corpus_files import RATE_HZ as CORPUS_RATE_HZ
from .corpus_files import Clip, read_clips

RATE_HZ: Final = 16_000
LONGEST_S, SHORTEST_S = 4.5, 1.8
#: Recordings below this bandwidth would give themselves away; the detector hears up to 7.4 kHz.
LEAST_BANDWIDTH_HZ: Final = 7_600
SPLITS: Final = ("train", "dev", "test")
#: Corpora whose speakers are divided among the splits; no clip of any other is learned from.
LEARNED_SETS: Final = ("librispeech", "speechocean762", "philipp_matthes", "rhasspy_kerstin_de")
#: Corpora that are only judged; the last one is MP3 below 6 kHz, by nature another channel than all others.
JUDGED_SETS: Final = (
    "vctk_bits",
    "libritts_bits",
    "ljspeech_bits",
    "aishell3_bits",
    "rhasspy_kathleen",
    "librispeech_devclean_mp3",
)
SINGLE_SPEAKER_SETS: Final = ("philipp_matthes", "rhasspy_kerstin_de")

Mono = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Take:
    """A recording to be used: where it is and to which split it belongs."""

    clip: Clip
    split: str


def share_of(name: str) -> float:
    """Return a number from 0 to 1 that depends on a name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32


def split_of(name: str) -> str:
    """Return the split of a speaker: 70 % train, 10 % dev, 20 % test."""
    share = share_of(name)
    return "train" if share < 0.7 else "dev" if share < 0.8 else "test"


def split_of_clip(clip: Clip) -> str:
    """Return the split of a real clip; single speakers of the learned corpora are for training alone."""
    if clip.set in JUDGED_SETS:
        return "test"
    return "train" if clip.set in SINGLE_SPEAKER_SETS else split_of(f"{clip.set}/{clip.speaker}")


def real_takes(folder: Path, rng: np.random.Generator) -> list[Take]:
    """Return the real recordings that are long and wide enough, in an order that visits the speakers in turn."""
    usable = [clip for clip in read_clips(folder) if clip.kind == "real" and _fits(clip)]
    return [Take(clip, split_of_clip(clip)) for clip in _in_turn(usable, rng)]


def synthetic_takes(folder: Path, rng: np.random.Generator) -> list[Take]:
    """Return the clips of the neural synthesiser, its voices in turn; a voice keeps its split."""
    usable = [clip for clip in read_clips(folder) if clip.kind == "kokoro" and _fits(clip)]
    return [Take(clip, split_of(clip.speaker)) for clip in _in_turn(usable, rng)]


def load(folder: Path, clip: Clip, rng: np.random.Generator) -> Mono:
    """Return up to 4.5 s of a clip at 16 kHz, from anywhere in it."""
    frames = min(clip.frames, int(LONGEST_S * CORPUS_RATE_HZ))
    start = clip.start + int(rng.integers(0, clip.frames - frames + 1))
    mono = read_clip((str(folder / "audio.npy"), start, frames))
    return np.asarray(soxr.resample(mono, CORPUS_RATE_HZ, RATE_HZ), np.float32)


def _fits(clip: Clip) -> bool:
    wide = clip.bandwidth_hz >= LEAST_BANDWIDTH_HZ or clip.set in JUDGED_SETS
    return wide and clip.frames >= SHORTEST_S * CORPUS_RATE_HZ


def _in_turn(clips: Iterable[Clip], rng: np.random.Generator) -> list[Clip]:
    """Return clips such that no speaker comes a second time before all others of the set came once."""
    seen: dict[str, int] = {}
    keyed: list[tuple[int, float, Clip]] = []
    shuffled = list(clips)
    for at in rng.permutation(len(shuffled)):
        clip = shuffled[at]
        name = f"{clip.set}/{clip.speaker}"
        seen[name] = seen.get(name, 0) + 1
        keyed.append((seen[name], float(rng.random()), clip))
    return [clip for _, _, clip in sorted(keyed, key=lambda entry: entry[:2])]
