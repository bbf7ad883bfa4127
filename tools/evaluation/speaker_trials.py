"""Which pieces are compared with which, and what came out by condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from .error_rates import Trials
from .sound import Audio
from .speaker_material import NOISY_LENGTH_S, PIECES, SNRS_DB, Person, Piece

#: What is enrolled and tested: seconds on either side, noise on the tested side.
Condition = tuple[int, int, int | None]
CLEAN: Final[tuple[Condition, ...]] = (
    *((seconds, seconds, None) for seconds in PIECES),
    (10, 2, None),
    (10, 5, None),
)
NOISY: Final[tuple[Condition, ...]] = tuple((NOISY_LENGTH_S, NOISY_LENGTH_S, snr_db) for snr_db in SNRS_DB)
ONE_RECORDING: Final[tuple[Condition, ...]] = ((2, 2, None), (5, 5, None))


def condition_name(condition: Condition) -> str:
    """Return how tables call it."""
    enrolled, tested, snr_db = condition
    seconds = f"{enrolled} s" if enrolled == tested else f"{enrolled} s, tested {tested} s"
    return seconds if snr_db is None else f"{seconds}, tested in noise at {snr_db} dB"


def trials_by_condition(
    people: Sequence[Person], pieces: Sequence[Piece], vectors: Sequence[Audio], across_recordings: bool
) -> dict[str, Trials]:
    """Return the trials of each condition that there are speakers for.

    Every enrolled piece meets every tested one of the same set of recordings: speakers of other sets would be told
    apart by their microphones. ``across_recordings`` says which people: those with several recordings, of which one
    side's are never the other's, or those with a single one.
    """
    conditions = (*CLEAN, *NOISY) if across_recordings else ONE_RECORDING
    chosen = [
        (piece, vector)
        for piece, vector in zip(pieces, vectors, strict=True)
        if people[piece.person].across_recordings == across_recordings
    ]
    found = {condition_name(condition): _trials(people, chosen, condition) for condition in conditions}
    return {name: some for name, some in found.items() if some.is_same.any() and not some.is_same.all()}


def _trials(people: Sequence[Person], chosen: Sequence[tuple[Piece, Audio]], condition: Condition) -> Trials:
    enrolled_s, tested_s, snr_db = condition
    enrolled = [(p, v) for p, v in chosen if (p.side, p.seconds, p.snr_db) == ("enrolled", enrolled_s, None)]
    tested = [(p, v) for p, v in chosen if (p.side, p.seconds, p.snr_db) == ("tested", tested_s, snr_db)]
    met = [
        (float(one_vector @ other_vector), one.person, other.person)
        for one, one_vector in enrolled
        for other, other_vector in tested
        if people[one.person].set == people[other.person].set
    ]
    scores, first, second = (np.array([row[column] for row in met]) for column in range(3))
    return Trials(scores.astype(np.float64), first.astype(np.int64), second.astype(np.int64))


def least_likeness(
    kept: Mapping[str, Sequence[Audio]], pieces: Sequence[Piece], name: str, base: str
) -> dict[str, float]:
    """Return how far the embeddings of an encoder are from those of another, over the clean pieces: mean, low, 5 %."""
    cosines = [
        float(one @ other)
        for piece, one, other in zip(pieces, kept[name], kept[base], strict=True)
        if piece.snr_db is None
    ]
    return {"mean": float(np.mean(cosines)), "low_5": float(np.quantile(cosines, 0.05)), "least": min(cosines)}
