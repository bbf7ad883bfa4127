"""The search for a mark in one window: over offset in the frame, speed and pitch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..core.watermark_layout import BANDS, SLOT_S, SLOTS, TRANSITION_S
from .levels import HOP_S
from .pattern import SYNC, Pattern
from .payload import CODE_BITS, decode

TICKS: Final = round(SLOT_S / HOP_S)
FRAME_TICKS: Final = SLOTS * TICKS
#: How many places are decoded: the payload tells the right one from those that look like it by chance.
DECODED: Final = 16
#: Of the estimator's output, in each tile: what is weaker than this is nothing.
WEAKEST: Final = 1e-3
Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Match:
    """The best place for a pattern in a window.

    Parameters
    ----------
    score
        Correlation of pattern and evidence over its spread under a random pattern.
    payload
        The number that is read there.
    payload_confidence
        The probability that it is right, if there is a mark.
    time_scale
        How much longer the frame is in the window than when it was made, as a divisor: 1.05 is 5 % faster.
    frequency_ratio
        Index of the frequency hypothesis.
    """

    score: float
    payload: int
    payload_confidence: float
    time_scale: float
    frequency: int


class PatternSearch:
    """A key's pattern, ready to be correlated with evidence."""

    def __init__(self, pattern: Pattern) -> None:
        known = pattern.bits == SYNC
        self._sync = _at_every_offset(np.where(known, pattern.signs, 0.0))
        self._mask = _at_every_offset(known.astype(np.float64))
        self._known = known
        self._signs = pattern.signs
        self._places = np.where(known, CODE_BITS, pattern.bits).ravel()

    def best(self, evidence: npt.NDArray[np.float32], time_scales: npt.NDArray[np.float64]) -> Match:
        """Return the best match.

        Parameters
        ----------
        evidence
            The estimator's output in the window, (frequency hypotheses, frames, BANDS).
        time_scales
            The speeds to try.
        """
        steady = evidence - evidence.mean(axis=1, keepdims=True)
        tiles = np.stack([_tiles(steady, scale) for scale in time_scales], axis=1)
        scores = self._sync_scores(tiles)
        frequencies, scales, phases, offsets = scores.shape
        by_place = scores.reshape(frequencies * scales, phases * offsets)
        leaders = by_place.argmax(axis=0)
        tops = np.argsort(-by_place[leaders, np.arange(leaders.size)])[:DECODED]
        found = []
        for place in tops:
            frequency, scale = divmod(int(leaders[place]), scales)
            phase, offset = divmod(int(place), offsets)
            aligned = np.roll(tiles[frequency, scale, phase], -offset, axis=0)
            found.append(Match(*self._read(aligned), float(time_scales[scale]), frequency))
        return max(found, key=lambda match: match.score)

    def _sync_scores(self, tiles: Array) -> Array:
        """Return the score of the known tiles alone, (frequencies, scales, phases, offsets)."""
        rows = tiles.reshape(-1, SLOTS * BANDS)
        fit, energy = rows @ self._sync, np.square(rows) @ self._mask
        floor = WEAKEST**2 * self._known.sum()
        scores: Array = (fit / np.sqrt(np.maximum(energy, floor))).astype(np.float32)
        return scores.reshape(*tiles.shape[:-2], SLOTS)

    def _read(self, tiles: Array) -> tuple[float, int, float]:
        """Return the score of all tiles under the payload that fits best, that payload, and how sure it is."""
        signed = (self._signs * tiles).ravel()
        sums = np.bincount(self._places, weights=signed, minlength=CODE_BITS + 1).astype(np.float64)
        energy = np.bincount(self._places, weights=signed * signed, minlength=CODE_BITS + 1)
        floor = WEAKEST**2 * tiles.size
        payload, fit, sure = decode(sums[:CODE_BITS], float(np.sqrt(max(energy[:CODE_BITS].sum(), floor) / CODE_BITS)))
        return (float(sums[CODE_BITS]) + fit) / float(np.sqrt(max(energy.sum(), floor))), payload, sure


def _at_every_offset(tiles: npt.NDArray[np.float64]) -> Array:
    """Return one column for each cyclic offset: the frame as it lies when it began so many slots late."""
    columns = [np.roll(tiles, offset, axis=0).ravel() for offset in range(SLOTS)]
    return np.ascontiguousarray(np.array(columns, np.float32).T)


def _tile_shape() -> Array:
    """The course of a tile's gain, one value each tick from the slot's beginning."""
    ticks = np.arange(round((SLOT_S + TRANSITION_S) / HOP_S)) * HOP_S
    rise, fall = (np.clip((ticks - begin) / TRANSITION_S, 0.0, 1.0) for begin in (0.0, SLOT_S))
    shape: Array = (rise * rise * (3 - 2 * rise) - fall * fall * (3 - 2 * fall)).astype(np.float32)
    return shape


def _tiles(evidence: Array, time_scale: float) -> Array:
    """Fold evidence over the frames and sum it over each tile: (frequencies, phases, SLOTS, BANDS)."""
    frequencies, frames, _ = evidence.shape
    ticks = int((frames - 1) * time_scale) + 1
    heard = evidence[:, np.minimum(np.round(np.arange(ticks) / time_scale).astype(np.int64), frames - 1)]
    repeats = -(-ticks // FRAME_TICKS)
    padded = np.zeros((frequencies, repeats * FRAME_TICKS, BANDS), np.float32)
    padded[:, :ticks] = heard
    folded = padded.reshape(frequencies, repeats, FRAME_TICKS, BANDS).sum(axis=1)
    summed = np.zeros_like(folded)
    for tick, weight in enumerate(_tile_shape()):
        if weight:
            summed += weight * np.roll(folded, -tick, axis=1)
    by_phase = summed.reshape(frequencies, SLOTS, TICKS, BANDS).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(by_phase)
