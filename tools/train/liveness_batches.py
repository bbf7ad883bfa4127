"""Batches for the detector of live voices: stretches of speech, spoilt a little more each time they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from vcfx_models.liveness.speech_spectrum import (
    BANDS_HZ,
    N_BANDS,
    RANGE_DB,
    band_levels_db,
    centred,
    is_speech,
)

from .liveness_kinds import LIVE

Frames = npt.NDArray[np.float32]
HIGHEST_HZ: Final = 7_400.0
#: From the frames of a clip and which of them are speech to those that the detector is shown.
Choice = Callable[[Frames, npt.NDArray[np.bool_]], Frames]


def only_speech(levels_db: Frames, speech: npt.NDArray[np.bool_]) -> Frames:
    """Return the frames of speech: what the detector hears."""
    return levels_db[speech]


def only_pauses(levels_db: Frames, speech: npt.NDArray[np.bool_]) -> Frames:
    """Return all frames but those of speech and their neighbours: for the control experiment."""
    near = np.convolve(speech, np.ones(5), "same") > 0.5
    return levels_db[~near]


class Heard(NamedTuple):
    """A clip as the detector hears it: levels of its chosen frames (float16), and which recording it is a copy of."""

    levels_db: npt.NDArray[np.float16]
    copied: int


def read_split(folder: Path, split: str, choice: Choice = only_speech, least: int = 20) -> dict[str, list[Heard]]:
    """Return kind -> clips of a split; clips with fewer than `least` chosen frames are left out."""
    found: dict[str, list[Heard]] = {}
    for file in sorted(folder.glob(f"{split}-*-*.npz")):
        kind = file.stem.removeprefix(f"{split}-").rpartition("-")[0]
        heard = (clip for clip in _read_shard(file, choice) if clip.levels_db.shape[0] >= least)
        found.setdefault(kind, []).extend(heard)
    return found


def _read_shard(file: Path, choice: Choice) -> Iterator[Heard]:
    with np.load(file) as stored:
        sounds = np.split(stored["judged"].astype(np.float32), np.cumsum(stored["samples"])[:-1])
        copied = stored["copied"]
    for sound, number in zip(sounds, copied, strict=True):
        levels_db = band_levels_db(sound)
        yield Heard(choice(levels_db, is_speech(levels_db)).astype(np.float16), int(number))


class BatchMaker:
    """Draws batches, half of them live, the rest of all attacks alike, most of these beside what they are copies of.

    Parameters
    ----------
    clips
        Kind -> clips, from `read_split`.
    batch, frames
        Clips in a batch, frames of each.
    paired
        How often a copy comes with its recording.
    rng
        Source of all draws.
    """

    def __init__(
        self, clips: dict[str, list[Heard]], batch: int, frames: int, paired: float, rng: np.random.Generator
    ) -> None:
        self._clips, self._batch, self._frames, self._paired, self._rng = clips, batch, frames, paired, rng
        self._attacks = [kind for kind in clips if kind != LIVE]
        self._originals = {clip.copied: clip for clip in clips[LIVE]}

    def batch(self) -> tuple[Frames, Frames]:
        """Return spectra (B, frames, 350) and whether each is live, 1 or 0."""
        shown = []
        for _ in range(self._batch // 2):
            attack = self._drawn(str(self._rng.choice(self._attacks)))
            original = self._originals.get(attack.copied)
            alone = original is None or self._rng.random() >= self._paired
            shown += [attack, self._drawn(LIVE) if original is None or alone else original]
        spectra = np.stack([self._spoilt(self._stretch(clip)) for clip in shown])
        return spectra, (np.arange(len(shown)) % 2).astype(np.float32)

    def _drawn(self, kind: str) -> Heard:
        return self._clips[kind][int(self._rng.integers(len(self._clips[kind])))]

    def _stretch(self, clip: Heard) -> Frames:
        start = int(self._rng.integers(0, max(clip.levels_db.shape[0] - self._frames, 0) + 1))
        levels_db = clip.levels_db[start : start + self._frames].astype(np.float32)
        return np.resize(levels_db, (self._frames, N_BANDS))

    def _spoilt(self, levels_db: Frames) -> Frames:
        """Return a stretch with more noise of an even spectrum, centred, and some frequencies taken away."""
        rng = self._rng
        if rng.random() < 0.5:
            slope = BANDS_HZ * np.float32(rng.uniform(-30.0, 10.0) / BANDS_HZ.max())
            hiss = 10.0 * np.log10(rng.exponential(size=levels_db.shape).astype(np.float32) + 1e-3)
            noise = hiss + slope + np.float32(rng.uniform(-70.0, -25.0))
            levels_db = np.logaddexp2(levels_db / 3.01, noise / 3.01, dtype=np.float32) * np.float32(3.01)
        spectrum = centred(np.maximum(levels_db, levels_db.max() - RANGE_DB))
        if rng.random() < 0.5:
            low_hz = rng.uniform(0.0, HIGHEST_HZ)
            spectrum[:, (low_hz <= BANDS_HZ) & (low_hz + rng.uniform(250.0, 1_500.0) > BANDS_HZ)] = 0.0
        if rng.random() < 0.3:
            spectrum[:, rng.uniform(3_200.0, HIGHEST_HZ) <= BANDS_HZ] = 0.0
        return spectrum
