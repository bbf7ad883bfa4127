"""Batches for the detector of live voices: stretches of speech, spoilt a little more each time they are shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vcfx_models.liveness.speech_spectrum import N_BANDS, RANGE_DB, centred

from .liveness_kinds import LIVE

Frames = npt.NDArray[np.float32]
#: From the frames of a clip and which of them are speech to those that the detector is shown.
Choice = Callable[[Frames, npt.NDArray[np.bool_]], Frames]


def only_speech(levels_db: Frames, speech: npt.NDArray[np.bool_]) -> Frames:
    """Return the frames of speech: what the detector hears."""
    return levels_db[speech]


def only_pauses(levels_db: Frames, speech: npt.NDArray[np.bool_]) -> Frames:
    """Return all frames but those of speech and their neighbours: for the control experiment."""
    near = np.convolve(speech, np.ones(5), "same") > 0.5
    return levels_db[~near]


def read_kind(file: Path, choice: Choice = only_speech, least: int = 20) -> list[Frames]:
    """Return the levels of each clip's chosen frames; clips with fewer than `least` come as no frames."""
    with np.load(file) as stored:
        levels, speech = stored["levels_db"].astype(np.float32), stored["speech"]
        ends = np.cumsum(stored["frames"])
    parts = zip(np.split(levels, ends[:-1]), np.split(speech, ends[:-1]), strict=True)
    chosen = [choice(*part) for part in parts]
    return [frames if frames.shape[0] >= least else frames[:0] for frames in chosen]


def read_split(folder: Path, split: str, choice: Choice = only_speech) -> dict[str, list[Frames]]:
    """Return kind -> clips of a split; clips without chosen frames are left out."""
    files = sorted(folder.glob(f"{split}-*.npz"))
    found = {file.stem.removeprefix(f"{split}-"): read_kind(file, choice) for file in files}
    return {kind: [frames for frames in clips if frames.shape[0]] for kind, clips in found.items()}


class BatchMaker:
    """Draws batches, half of them live, the rest of all attacks alike.

    Parameters
    ----------
    clips
        Kind -> clips, from `read_split`.
    batch, frames
        Clips in a batch, frames of each.
    rng
        Source of all draws.
    """

    def __init__(self, clips: dict[str, list[Frames]], batch: int, frames: int, rng: np.random.Generator) -> None:
        self._clips, self._batch, self._frames, self._rng = clips, batch, frames, rng
        self._attacks = [kind for kind in clips if kind != LIVE]

    def batch(self) -> tuple[Frames, Frames]:
        """Return spectra (B, frames, 117) and whether each is live, 1 or 0."""
        live = np.arange(self._batch) % 2
        kinds = [LIVE if is_live else str(self._rng.choice(self._attacks)) for is_live in live]
        shown = [self._spoilt(self._stretch(self._clips[kind])) for kind in kinds]
        return np.stack(shown), live.astype(np.float32)

    def _stretch(self, clips: list[Frames]) -> Frames:
        levels_db = clips[int(self._rng.integers(len(clips)))]
        start = int(self._rng.integers(0, max(levels_db.shape[0] - self._frames, 0) + 1))
        return np.resize(levels_db[start : start + self._frames], (self._frames, N_BANDS))

    def _spoilt(self, levels_db: Frames) -> Frames:
        """Return a stretch with more noise of an even spectrum, centred, and some bands taken away."""
        rng = self._rng
        if rng.random() < 0.5:
            slope = np.linspace(0.0, rng.uniform(-30.0, 10.0), N_BANDS, dtype=np.float32)
            hiss = 10.0 * np.log10(rng.exponential(size=levels_db.shape).astype(np.float32) + 1e-3)
            levels_db = np.logaddexp2(levels_db / 3.01, (hiss + slope + rng.uniform(-70.0, -25.0)) / 3.01) * 3.01
        spectrum = centred(np.maximum(levels_db, levels_db.max() - RANGE_DB))
        if rng.random() < 0.5:
            width, start = int(rng.integers(4, 25)), int(rng.integers(0, N_BANDS))
            spectrum[:, start : start + width] = 0.0
        if rng.random() < 0.3:
            spectrum[:, int(rng.integers(50, N_BANDS)) :] = 0.0
        return spectrum
