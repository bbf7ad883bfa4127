"""Recordings of one person and of two, to count how many of either `check_one_speaker` refuses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vcfx_models.errors import VoiceError
from vcfx_models.reference_checks import check_one_speaker
from vcfx_models.speaker_encoder import SpeakerEmbedder

from .intervals import estimate
from .sound import Audio
from .speaker_material import RATE_HZ, Person

#: Seconds of speech of a recording; how it is shared between two: the second's part, or turns of some seconds.
LENGTHS_S: Final = (8, 12, 20)
KINDS: Final = (
    "one",
    "one, half of it in noise at 20 dB",
    "one, half of it through a telephone",
    "two, halves",
    "two, a quarter",
    "two, turns of 3 s",
)
NOISE_DB: Final = 20.0
TELEPHONE_HZ: Final = (300.0, 3_400.0)
TURN_S: Final = 3.0
DRAWS: Final = 60
SEED: Final = 11


@dataclass(frozen=True, slots=True)
class Recording:
    """Speech of a length in seconds, at 24 kHz; `first` and `second` number the speakers, the same for kind "one"."""

    kind: str
    seconds: int
    first: int
    second: int
    audio: Audio


def drawn_recordings(people: Sequence[Person], draws: int = DRAWS) -> Iterator[Recording]:
    """Yield `draws` recordings of each kind and length, always the same.

    The two of a mixture are of one set and, where there are such, of one gender every other time: others differ in
    more than their voices.
    """
    rng = np.random.default_rng(SEED)
    speech = [np.concatenate(person.sides) for person in people]
    for seconds in LENGTHS_S:
        able = [index for index, mono in enumerate(speech) if mono.size >= seconds * RATE_HZ]
        for kind in KINDS:
            for number in range(draws):
                first = able[int(rng.integers(len(able)))]
                second = first if kind.startswith("one") else _other(people, able, first, number % 2 == 0, rng)
                audio = _mixture(kind, seconds, speech[first], speech[second], rng)
                yield Recording(kind, seconds, first, second, audio)


def _other(
    people: Sequence[Person], able: Sequence[int], first: int, same_gender: bool, rng: np.random.Generator
) -> int:
    near = [index for index in able if index != first and people[index].set == people[first].set]
    alike = [index for index in near if people[index].gender == people[first].gender]
    choice = (alike if same_gender else near) or near or [index for index in able if index != first]
    return choice[int(rng.integers(len(choice)))]


def _mixture(kind: str, seconds: int, one: Audio, other: Audio, rng: np.random.Generator) -> Audio:
    size = seconds * RATE_HZ
    start, begin = (int(rng.integers(mono.size - size + 1)) for mono in (one, other))
    first, second = one[start : start + size], other[begin : begin + size]
    if kind.startswith("one"):
        return np.concatenate([first[: size // 2], _changed(kind, first[size // 2 :], rng)])
    if kind.endswith("turns of 3 s"):
        turn = (np.arange(size) // int(TURN_S * RATE_HZ)) % 2
        return np.where(turn == 0, first, second).astype(np.float32)
    share = 0.5 if kind.endswith("halves") else 0.25
    cut = int((1.0 - share) * size)
    return np.concatenate([first[:cut], second[cut:]])


def _changed(kind: str, speech: Audio, rng: np.random.Generator) -> Audio:
    """Return the second half of a recording of one person: as it was, or as from another place."""
    if "noise" in kind:
        level = float(np.sqrt(np.mean(np.square(speech, dtype=np.float64)))) * 10.0 ** (-NOISE_DB / 20.0)
        return np.asarray(speech + level * rng.standard_normal(speech.size), np.float32)
    if "telephone" in kind:
        spectrum = np.fft.rfft(speech)
        hz = np.fft.rfftfreq(speech.size, 1.0 / RATE_HZ)
        spectrum[(hz < TELEPHONE_HZ[0]) | (hz > TELEPHONE_HZ[1])] = 0.0
        return np.asarray(np.fft.irfft(spectrum, speech.size), np.float32)
    return speech


def refuses_one_speaker(audio: Audio, encoder: SpeakerEmbedder) -> bool:
    """Tell whether `check_one_speaker` refuses a recording."""
    try:
        check_one_speaker(audio, encoder, "it")
    except VoiceError:
        return True
    return False


def likeness_of_groups(audio: Audio, encoder: SpeakerEmbedder) -> float:
    """Return what the rule used before looked at: 3 s parts in two groups round the least alike pair, their cosine."""
    size = int(3.0 * RATE_HZ)
    parts = [audio[at : at + size] for at in range(0, audio.size - size + 1, size)]
    if len(parts) < 2:
        return 1.0
    embeddings = np.stack([encoder.embed(part) for part in parts])
    alike = embeddings @ embeddings.T
    one, other = np.unravel_index(int(alike.argmin()), alike.shape)
    near = alike[one] >= alike[other]
    if near.all():
        return 1.0
    means = [embeddings[chosen].mean(axis=0) for chosen in (near, ~near)]
    return float(means[0] @ means[1] / (np.linalg.norm(means[0]) * np.linalg.norm(means[1])))


def refusals(
    recordings: Sequence[Recording], verdicts: Sequence[bool]
) -> dict[str, dict[str, tuple[float, float, float, int]]]:
    """Return, by kind and length, the share that is refused with the bounds of its interval, and of how many."""
    found: dict[tuple[str, int], list[float]] = {}
    for recording, is_refused in zip(recordings, verdicts, strict=True):
        found.setdefault((recording.kind, recording.seconds), []).append(float(is_refused))
    table: dict[str, dict[str, tuple[float, float, float, int]]] = {kind: {} for kind in KINDS}
    for (kind, seconds), counted in found.items():
        share = estimate(counted)
        if share is not None:
            table[kind][str(seconds)] = (share.mean, share.low, share.high, share.count)
    return table
