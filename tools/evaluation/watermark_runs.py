"""The measurements of the mark; each returns rows for a JSON file."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.nodes.watermark import DEFAULT_STRENGTH_DB, Watermark
from vcfx_dsp.watermark.detector import find_marks
from vcfx_dsp.watermark.key import DEFAULT_KEY, NEW_KEY_BYTES, WatermarkKey
from vcfx_dsp.watermark.payload import MAX_PAYLOAD, Payload

from .packages import package
from .sound import Sound
from .watermark_attacks import ATTACKS, noisy
from .watermark_material import (
    MARKED_HZ,
    file_pieces,
    is_loud_enough,
    long_pieces,
    made_pieces,
    noise_members,
    speech_pieces,
    tar_pieces,
)

BLOCK_FRAMES: Final = 48_000
PESQ_HZ: Final = 16_000
#: More sound than is looked at: speed takes some of it, and the crop is at a random place.
SPARE_RATIO, SPARE_S = 1.2, 1.0
NOISE_LADDER_DB: Final = (0.0, 5.0, 10.0, 15.0, 20.0)
MARKED_AGAIN: Final = "second conversion, marked again: the last mark"
OTHER_KEYS: Final = "real speech, other keys, seed {seed}"
Row = dict[str, Any]


class Sources(NamedTuple):
    """Where unmarked sound is: folders, and tars of synthetic speech."""

    corpus: Path
    noise: Path
    converted: list[Path]
    synthetic: list[Path]


class Marker(Protocol):
    """A way to mark speech and to find the mark."""

    def mark(self, sound: Sound, payload: int) -> Sound:
        """Return the sound, marked."""
        ...

    def find(self, sound: Sound) -> Row:
        """Return score, found, and payload where the mark carries one."""
        ...


class OurMark:
    """The watermark node and its detector."""

    def __init__(self, strength_db: float) -> None:
        self._strength_db = strength_db

    def mark(self, sound: Sound, payload: int) -> Sound:
        """Run the node."""
        node = Watermark(payload=float(payload), strength_db=self._strength_db)
        node.prepare(ProcessSpec(sound.sample_rate, BLOCK_FRAMES, 1))
        out = np.empty_like(sound.audio)
        for start in range(0, out.size, BLOCK_FRAMES):
            node.process(sound.audio[None, start : start + BLOCK_FRAMES], out[None, start : start + BLOCK_FRAMES])
        return Sound(out, sound.sample_rate)

    def find(self, sound: Sound, key: WatermarkKey = DEFAULT_KEY) -> Row:
        """Run the detector."""
        detection = find_marks(sound.audio, sound.sample_rate, key)
        payload = detection.payload.number if detection.payload else None
        sure = round(detection.payload_confidence, 4)
        return {"score": round(detection.score, 3), "found": detection.found, "payload": payload, "sure": sure}


class Perth:
    """The neural mark of resemble-perth; it says only that it is there."""

    def __init__(self) -> None:
        self._perth = package("perth.perth_net.perth_net_implicit.perth_watermarker").PerthImplicitWatermarker()

    def mark(self, sound: Sound, payload: int) -> Sound:
        """Run its encoder."""
        out = self._perth.apply_watermark(sound.audio, sound.sample_rate)
        return Sound(np.asarray(out, np.float32), sound.sample_rate)

    def find(self, sound: Sound) -> Row:
        """Run its decoder; its own threshold is one half."""
        score = float(np.mean(self._perth.get_watermark(sound.audio, sound.sample_rate, round=False)))
        return {"score": round(score, 4), "found": score > 0.5, "payload": None}


def marker_named(name: str, strength_db: float) -> Marker:
    """Return ``ours`` or ``perth``."""
    return OurMark(strength_db) if name == "ours" else Perth()


def measure_attacks(
    marker: Marker, corpus: Path, seconds: float, count: int, seed: int, names: list[str]
) -> Iterator[Row]:
    """Mark held-out speech, attack it, crop it at random, look for the mark."""
    for index, piece in enumerate(_loud(corpus, (seconds + SPARE_S) * SPARE_RATIO, count, seed)):
        rng = np.random.default_rng([seed, index])
        payload = int(rng.integers(MAX_PAYLOAD + 1))
        marked = marker.mark(piece.at(MARKED_HZ), payload)
        for name in names or ATTACKS:
            attacked = ATTACKS[name](marked, rng)
            found = marker.find(_cropped(attacked, seconds, rng))
            yield {"attack": name, "seconds": seconds, "piece": index, **found, "right": found["payload"] == payload}


def measure_noise(marker: Marker, corpus: Path, count: int, seed: int) -> Iterator[Row]:
    """Look for the mark in 2 s below white noise of growing level."""
    for index, piece in enumerate(_loud(corpus, 2.0, count, seed)):
        rng = np.random.default_rng([seed, index])
        marked = marker.mark(piece.at(PESQ_HZ), index)
        for snr_db in NOISE_LADDER_DB:
            found = marker.find(noisy(snr_db)(marked, rng))
            yield {"attack": str(snr_db), "seconds": 2.0, **found, "right": found["payload"] == index}


def measure_conversions(corpus: Path, seconds: list[float], count: int, seed: int, strength_db: float) -> Iterator[Row]:
    """Mark held-out speech, convert it into a second voice with our own model, look for the mark.

    Once in what the model says, and once as the program does it: marked again, where the last mark is looked for.
    """
    from .systems import make_system

    system, marker = make_system("model-offline"), OurMark(strength_db)
    sounds = list(_loud(corpus, max(seconds) + SPARE_S, count + 1, seed))
    for index, (piece, target) in enumerate(itertools.pairwise(sounds)):
        rng = np.random.default_rng([seed, index])
        payload = int(rng.integers(MAX_PAYLOAD + 1))
        marked = marker.mark(piece.at(MARKED_HZ), payload)
        converted = Sound(*system.convert(marked.audio, MARKED_HZ, [target]))
        last = int(rng.integers(MAX_PAYLOAD + 1))
        again = marker.mark(converted.at(MARKED_HZ), last)
        for name, sound, said in (("second conversion", converted, payload), (MARKED_AGAIN, again, last)):
            for length in seconds:
                found = marker.find(_cropped(sound, length, rng))
                yield {"attack": name, "seconds": length, **found, "right": found["payload"] == said}


def _loud(corpus: Path, seconds: float, count: int, seed: int) -> Iterator[Sound]:
    loud = (piece for piece in long_pieces(corpus, seconds, 2 * count, seed) if is_loud_enough(piece))
    for piece in itertools.islice(loud, count):
        yield Sound(piece.audio[: round(seconds * piece.sample_rate)], piece.sample_rate)


def _cropped(sound: Sound, seconds: float, rng: np.random.Generator) -> Sound:
    """A crop with speech in it: of ten random ones the first that is not a pause."""
    frames = min(round(seconds * sound.sample_rate), sound.audio.size)
    for _ in range(10):
        start = rng.integers(sound.audio.size - frames + 1)
        piece = Sound(sound.audio[start : start + frames], sound.sample_rate)
        if is_loud_enough(piece):
            break
    return piece


def measure_unmarked(marker: Marker, sources: Sources, count: int, kinds: list[str]) -> Iterator[Row]:
    """Look for a mark where there is none, in pieces of 2 s; `count` limits real speech, and made sounds to a 20th."""
    by_kind = {
        "real speech": itertools.islice(speech_pieces(sources.corpus, 2.0), count),
        "converted speech": (piece for folder in sources.converted for piece in file_pieces(folder, 2.0)),
        "synthetic speech": (piece for archive in sources.synthetic for piece in _tar(archive)),
        "noise and music": tar_pieces(sources.noise / "noise.tar", noise_members(sources.noise), 2.0),
        "silence, tones, noises made": made_pieces(2.0, count // 20, 1),
    }
    for kind in kinds or by_kind:
        for sound in by_kind[kind]:
            began = time.process_time()
            found = marker.find(sound)
            yield {"kind": kind, **found, "cpu_s": round(time.process_time() - began, 4)}


def measure_other_keys(corpus: Path, count: int, keys: int, seed: int) -> Iterator[Row]:
    """Look for marks in unmarked speech under keys drawn anew for each piece of 2 s, `keys` of them."""
    marker, rng = OurMark(DEFAULT_STRENGTH_DB), np.random.default_rng(seed)
    for sound in itertools.islice(speech_pieces(corpus, 2.0), count):
        for _ in range(keys):
            began = time.process_time()
            found = marker.find(sound, WatermarkKey(rng.bytes(NEW_KEY_BYTES)))
            yield {"kind": OTHER_KEYS.format(seed=seed), **found, "cpu_s": round(time.process_time() - began, 4)}


def _tar(archive: Path) -> Iterator[Sound]:
    import tarfile

    with tarfile.open(archive) as opened:
        members = [name for name in opened.getnames() if name.endswith(".opus")]
    return tar_pieces(archive, members, 2.0)


def measure_quality(marker: Marker, corpus: Path, seconds: float, count: int, seed: int) -> Iterator[Row]:
    """Compare marked speech with what it was made from: wide-band PESQ and signal-to-noise ratio."""
    pesq = package("pesq").pesq
    for piece in _loud(corpus, seconds, count, seed):
        marked = marker.mark(piece.at(MARKED_HZ), 0x5A5A5A)
        before, after = piece.at(PESQ_HZ).audio, marked.at(PESQ_HZ).audio
        frames = min(before.size, after.size)
        before, after = before[:frames].astype(np.float64), after[:frames].astype(np.float64)
        snr_db = 10 * np.log10(np.sum(before**2) / np.sum((after - before) ** 2))
        yield {"pesq": round(float(pesq(PESQ_HZ, before, after, "wb")), 3), "snr_db": round(float(snr_db), 2)}


def measure_removal(corpus: Path, seconds: float, count: int, seed: int, strength_db: float) -> Iterator[Row]:
    """What somebody can do who knows the key: find the place, and run the pattern the other way round."""
    from .watermark_removal import removed

    marker = OurMark(strength_db)
    for index, piece in enumerate(_loud(corpus, seconds, count, seed)):
        payload = Payload(index, 1).number
        marked = marker.mark(piece.at(MARKED_HZ), payload)
        yield {"attack": "pattern undone", "seconds": seconds, **marker.find(removed(marked, payload, strength_db))}
