"""Speech of held-out speakers, cut into pieces to enrol and pieces to test, clean and with noise."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tools.train.ge2e_split import is_held_out_noise, is_held_out_speaker

from .corpus import Clip, read_clip, read_manifest, read_member
from .errors import EvaluationError
from .sound import Audio

RATE_HZ: Final = 24_000
#: Lengths of speech, and how many pieces of each a speaker gives on either side at most.
PIECES: Final = {2: 3, 5: 3, 10: 2}
NOISY_LENGTH_S: Final = 5
SNRS_DB: Final = (20, 10, 5)
#: More of a speaker than this on either side is not read.
MOST_SPEECH_S: Final = 21.0
FRAME_SAMPLES: Final = RATE_HZ // 50
PAUSE_DB: Final = 35.0
MARGIN_FRAMES: Final = 6
SIDES: Final = ("enrolled", "tested")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone whom no encoder of ours was trained on.

    Parameters
    ----------
    set, name, gender
        As in the manifest.
    sides
        Speech at 24 kHz without long pauses: to enrol, and to test.
    across_recordings
        Whether the sides are of different recordings; else they are the two halves of one.
    """

    set: str
    name: str
    gender: str
    sides: tuple[Audio, Audio]
    across_recordings: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """Some seconds of a person's speech; `snr_db` None: as recorded."""

    person: int
    side: str
    seconds: int
    number: int
    snr_db: int | None
    audio: Audio


def held_out_people(folder: Path) -> list[Person]:
    """Return everyone of the dev splits, and every twentieth of the training split, whom training leaves out too."""
    of_speaker: dict[tuple[str, str], list[Clip]] = {}
    for clip in read_manifest(folder):
        if clip.split != "train" or is_held_out_speaker(f"{clip.set}/{clip.speaker}"):
            of_speaker.setdefault((clip.set, clip.speaker), []).append(clip)
    people = []
    for (set_, name), clips in sorted(of_speaker.items()):
        if len(clips) > 1:
            sides = (_speech(folder, clips[::2]), _speech(folder, clips[1::2]))
        else:
            whole = _speech(folder, clips)
            sides = (whole[: whole.size // 2], whole[whole.size // 2 :])
        if min(side.size for side in sides) >= min(PIECES) * RATE_HZ:
            people.append(Person(set_, name, clips[0].gender, sides, len(clips) > 1))
    if not people:
        raise EvaluationError(f"'{folder}' has no held-out speakers")
    return people


def _speech(folder: Path, clips: Sequence[Clip]) -> Audio:
    """Return the spoken stretches of recordings, each at -24 dBFS, up to the most that is used."""
    kept: list[Audio] = []
    for clip in clips:
        if sum(part.size for part in kept) >= MOST_SPEECH_S * RATE_HZ:
            break
        kept.append(spoken(read_clip(folder, clip).at(RATE_HZ).audio))
    return np.concatenate(kept)[: int(MOST_SPEECH_S * RATE_HZ)]


def spoken(mono: Audio) -> Audio:
    """Return mono at 24 kHz without pauses longer than a quarter of a second, its speech at -24 dBFS."""
    from vcfx_models.speech_level import levelled

    whole = levelled(mono)
    frames = whole[: whole.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    powers = np.square(frames, dtype=np.float64).mean(axis=1)
    is_loud = powers >= powers.max(initial=0.0) * 10.0 ** (-PAUSE_DB / 10.0)
    near = np.convolve(is_loud, np.ones(2 * MARGIN_FRAMES + 1), mode="same")[: is_loud.size] > 0.5
    return np.asarray(frames[near].ravel(), np.float32)


def pieces_of(people: Sequence[Person], noises: Sequence[Audio]) -> Iterator[Piece]:
    """Yield all pieces: of every length clean, and of 5 s to test with noise too."""
    for index, person in enumerate(people):
        for side, speech in zip(SIDES, person.sides, strict=True):
            for seconds, most in PIECES.items():
                size = seconds * RATE_HZ
                for number in range(min(most, speech.size // size)):
                    audio = np.ascontiguousarray(speech[number * size : (number + 1) * size])
                    yield Piece(index, side, seconds, number, None, audio)
                    if side == "tested" and seconds == NOISY_LENGTH_S and person.across_recordings:
                        seed = zlib.crc32(f"{person.set}/{person.name}/{number}".encode())
                        for snr_db in SNRS_DB:
                            noisy = with_noise(audio, noises, snr_db, np.random.default_rng(seed))
                            yield Piece(index, side, seconds, number, snr_db, noisy)


def with_noise(speech: Audio, noises: Sequence[Audio], snr_db: float, rng: np.random.Generator) -> Audio:
    """Mix one of the noises in, at a ratio of powers over the whole piece."""
    noise = noises[int(rng.integers(len(noises)))]
    start = int(rng.integers(max(noise.size - speech.size, 0) + 1))
    bed = np.resize(noise[start : start + speech.size], speech.size)
    power = float(np.mean(np.square(bed, dtype=np.float64)))
    wanted = float(np.mean(np.square(speech, dtype=np.float64))) * 10.0 ** (-snr_db / 10.0)
    return np.asarray(speech + bed * np.float32(np.sqrt(wanted / max(power, 1e-12))), np.float32)


def held_out_noises(folder: Path, most: int = 40) -> list[Audio]:
    """Return noises that `train_ge2e` does not hear, at 24 kHz."""
    lines = (folder / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines()[1:]
    paths = [line.split("\t")[0] for line in lines]
    chosen = [path for path in paths if is_held_out_noise(path)]
    return [read_member(folder / "noise.tar", path).at(RATE_HZ).audio for path in chosen[:most]]
