"""The watermark in a file of any length, in bounded memory: the one place that calls the detector."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from vcfx_dsp.watermark.detector import FALSE_FINDS, SURE_FROM_S, Detection, Segment, find_marks

Block = npt.NDArray[np.float32]
#: A piece of a long file, and how far it reaches into the next one, so that no window falls between two.
PIECE_S: Final = 60.0
OVERLAP_S: Final = 8.0
#: Sound counts from this level on: of full scale, and below the loud parts.
FLOOR_DB: Final = -60.0
BELOW_LOUD_DB: Final = 40.0
_LEVEL_S: Final = 0.02
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class MarkReport:
    """What the detector says of a whole file.

    Parameters
    ----------
    segments
        Where there are marks, in order of time; empty if none was found.
    confidence
        One less the number of finds this sure that are expected in as much unmarked sound, 0 to 1.
    seconds, sound_seconds
        Length of the file, and how much of it is louder than silence.
    """

    segments: tuple[Segment, ...]
    confidence: float
    seconds: float
    sound_seconds: float

    @property
    def found(self) -> bool:
        """Whether there is a mark."""
        return bool(self.segments)

    @property
    def is_too_short(self) -> bool:
        """Whether there is too little sound for a missing mark to mean anything."""
        return not self.found and self.sound_seconds < SURE_FROM_S


class MarkScan:
    """Takes a file's sound block by block, and looks at it piece by piece.

    Parameters
    ----------
    sample_rate, channels
        Of the blocks: 8000 to 192000 Hz; 1 or more.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate, self._channels = sample_rate, channels
        self._piece_frames, self._overlap_frames = (round(s * sample_rate) for s in (PIECE_S, OVERLAP_S))
        self._level_frames = max(1, round(_LEVEL_S * sample_rate))
        self._room = np.zeros((channels, self._piece_frames + self._overlap_frames), np.float32)
        self._held = self._start = self._frames = 0
        self._levels_db: list[npt.NDArray[np.float32]] = []
        self._found: list[tuple[float, Detection]] = []

    def add(self, block: Block) -> None:
        """Take (channels, frames), finite; looks at a piece as soon as it is whole."""
        taken = 0
        while taken < block.shape[1]:
            count = min(block.shape[1] - taken, self._room.shape[1] - self._held)
            self._room[:, self._held : self._held + count] = block[:, taken : taken + count]
            self._held += count
            taken += count
            if self._held == self._room.shape[1]:
                self._look(self._piece_frames)
        self._frames += block.shape[1]

    def finish(self) -> MarkReport:
        """Look at the rest, and return what holds for the whole."""
        if self._held > self._overlap_frames or not self._found:
            self._look(self._held)
        else:
            self._levels_db.append(_levels_db(self._room[:, : self._held], self._level_frames))
        pieces = max(1, len(self._found))
        confidences = [piece.confidence for _, piece in self._found]
        segments = [
            replace(
                each,
                start_s=start_s + each.start_s,
                end_s=start_s + each.end_s,
                confidence=_overall(each.confidence, pieces),
            )
            for start_s, piece in self._found
            for each in piece.segments
            if pieces * (1.0 - each.confidence) <= FALSE_FINDS
        ]
        return MarkReport(
            _joined(segments), _overall(max(confidences), pieces), self._frames / self._rate, self._sound_s()
        )

    def _look(self, frames: int) -> None:
        """Look at all that is held; `frames` of it are done then, the rest begins the next piece."""
        held = self._room[:, : self._held]
        self._found.append((self._start / self._rate, find_marks(held, self._rate)))
        self._levels_db.append(_levels_db(held[:, :frames], self._level_frames))
        rest = self._held - frames
        self._room[:, :rest] = held[:, frames:].copy()
        self._held, self._start = rest, self._start + frames

    def _sound_s(self) -> float:
        levels_db = np.concatenate(self._levels_db)
        if not levels_db.size:
            return 0.0
        threshold_db = max(FLOOR_DB, float(np.percentile(levels_db, 98.0)) - BELOW_LOUD_DB)
        return int(np.count_nonzero(levels_db > threshold_db)) * self._level_frames / self._rate


def _levels_db(held: Block, frames: int) -> npt.NDArray[np.float32]:
    whole = held[:, : held.shape[1] // frames * frames].reshape(len(held), -1, frames)
    power = np.mean(np.square(whole), axis=(0, 2))
    levels: npt.NDArray[np.float32] = 10.0 * np.log10(power + _TINY)
    return levels


def _overall(confidence: float, pieces: int) -> float:
    """Return the confidence of a find among several pieces: each of them could have brought a false one."""
    return 1.0 - min(1.0, pieces * (1.0 - confidence))


def _joined(segments: list[Segment]) -> tuple[Segment, ...]:
    """Join stretches that say the same and touch, across the borders of pieces."""
    joined: list[Segment] = []
    for segment in sorted(segments, key=lambda one: one.start_s):
        last = joined[-1] if joined else None
        if last and last.payload == segment.payload and segment.start_s <= last.end_s:
            joined[-1] = replace(
                last,
                end_s=max(last.end_s, segment.end_s),
                confidence=max(last.confidence, segment.confidence),
                payload_confidence=max(last.payload_confidence, segment.payload_confidence),
            )
        else:
            joined.append(segment)
    return tuple(joined)
