"""Batches of speakers: some crops of each, spoiled by noise and rooms, each with the embedding that it should keep."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vcfx_models import geometry as grid

from .batches import Corpus, in_a_room
from .ge2e_split import is_held_out_noise, is_held_out_speaker

#: Crops reach back by this, for the first windows of the longest kind (25 ms).
PAST_SAMPLES = 600
LEAST_CLIP_S = 1.6
Crop = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Spoiling:
    """How crops are spoiled.

    Parameters
    ----------
    noise_share, room_share
        Of the crops.
    snr_low_db, snr_high_db
        Noise is mixed in at a ratio drawn between these.
    gain_db
        Levels vary by up to this, either way.
    """

    noise_share: float
    room_share: float
    snr_low_db: float
    snr_high_db: float
    gain_db: float


class SpeakerDraws:
    """Draws batches; batch n of a seed is always the same.

    Parameters
    ----------
    corpus, folder
        Of `prepare_corpus`, and where it lies.
    seed
        Of the draws.
    held_out
        False: of the training speakers and noises; True: of those kept for tests.
    """

    def __init__(self, corpus: Corpus, folder: Path, seed: int, held_out: bool) -> None:
        self.corpus, self.seed = corpus, seed
        with (folder / "noise.tsv").open(encoding="utf-8") as table:
            rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
        self._noises = [
            (int(row["start"]), int(row["frames"])) for row in rows if is_held_out_noise(row["source"]) == held_out
        ]
        chosen: dict[str, list[int]] = {}
        for index, clip in enumerate(corpus.clips):
            speaker = f"{clip['set']}/{clip['speaker']}"
            fits = clip["kind"] == "real" and corpus.frames[index] >= LEAST_CLIP_S * grid.SAMPLE_RATE
            if fits and (clip["split"] != "train" or is_held_out_speaker(speaker)) == held_out:
                chosen.setdefault(speaker, []).append(index)
        self.speakers = list(chosen.values())

    def draw(
        self, number: int, speakers: int, utterances: int, seconds: float, spoiling: Spoiling | None
    ) -> tuple[Crop, npt.NDArray[np.int64]]:
        """Return crops (speakers * utterances, samples), those of a speaker in a row, and the clip each is of."""
        rng = np.random.default_rng([self.seed, number])
        count = PAST_SAMPLES + int(seconds * grid.SAMPLE_RATE) // grid.HOP_SAMPLES * grid.HOP_SAMPLES
        crops, clips = [], []
        for speaker in rng.choice(len(self.speakers), speakers, replace=False):
            of_speaker = self.speakers[speaker]
            for clip in rng.choice(of_speaker, utterances, replace=len(of_speaker) < utterances):
                crops.append(self._crop(rng, int(clip), count, spoiling))
                clips.append(int(clip))
        return np.stack(crops), np.array(clips)

    def _crop(self, rng: np.random.Generator, clip: int, count: int, spoiling: Spoiling | None) -> Crop:
        frames = int(self.corpus.frames[clip])
        if frames < count:  # short clips are repeated
            crop = np.resize(self.corpus.samples(clip, 0, frames), count)
        else:
            crop = self.corpus.samples(clip, int(rng.integers(0, frames - count + 1)), count)
        if spoiling is None:
            return crop
        crop = crop * np.float32(10.0 ** (rng.uniform(-spoiling.gain_db, spoiling.gain_db) / 20.0))
        if rng.random() < spoiling.room_share:
            crop = in_a_room(rng, crop)
        if rng.random() < spoiling.noise_share:
            snr_db = rng.uniform(spoiling.snr_low_db, spoiling.snr_high_db)
            noise = self._noise(rng, count)
            scale = np.std(crop) / (np.std(noise) + 1e-6) * 10.0 ** (-snr_db / 20.0)
            crop = crop + noise * np.float32(scale)
        return np.asarray(crop, np.float32)

    def _noise(self, rng: np.random.Generator, count: int) -> Crop:
        start, frames = self._noises[int(rng.integers(len(self._noises)))]
        place = start + int(rng.integers(0, max(frames - count, 0) + 1))
        noise = self.corpus.noise[place : place + min(count, frames)].astype(np.float32) / 32768.0
        return np.resize(noise, count)
