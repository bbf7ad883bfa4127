"""The watermark in a file of any length, in bounded memory: the one place that calls the detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from vcfx_dsp.watermark.detector import FALSE_FINDS, SURE_FROM_S, Detection, Segment, find_marks
from vcfx_dsp.watermark.key import DEFAULT_KEY, WatermarkKey

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
class KeyedSegment(Segment):
    """A stretch of sound that carries a mark, and under which key.

    Parameters
    ----------
    key
        Fingerprint of the private key; empty for the public one.
    """

    key: str = ""


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

    segments: tuple[KeyedSegment, ...]
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
    private_keys
        Keys to look under besides the public one, each once.
    """

    def __init__(self, sample_rate: int, channels: int, private_keys: Sequence[WatermarkKey] = ()) -> None:
        self._keys = {"": DEFAULT_KEY} | {key.fingerprint: key for key in private_keys if key != DEFAULT_KEY}
        self._rate, self._channels = sample_rate, channels
        self._piece_frames, self._overlap_frames = (round(s * sample_rate) for s in (PIECE_S, OVERLAP_S))
        self._level_frames = max(1, round(_LEVEL_S * sample_rate))
        self._room = np.zeros((channels, self._piece_frames + self._overlap_frames), np.float32)
        self._held = self._start = self._frames = 0
        self._levels_db: list[npt.NDArray[np.float32]] = []
        self._found: list[tuple[float, str, Detection]] = []

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
        looks = len(self._found)
        confidences = [detection.confidence for _, _, detection in self._found]
        segments = [
            KeyedSegment(
                start_s + each.start_s,
                start_s + each.end_s,
                _overall(each.confidence, looks),
                each.payload,
                each.payload_confidence,
                key,
            )
            for start_s, key, detection in self._found
            for each in detection.segments
            if looks * (1.0 - each.confidence) <= FALSE_FINDS
        ]
        of_keys = [_joined([each for each in segments if each.key == key]) for key in self._keys]
        in_time = sorted((each for joined in of_keys for each in joined), key=lambda one: one.start_s)
        return MarkReport(tuple(in_time), _overall(max(confidences), looks), self._frames / self._rate, self._sound_s())

    def _look(self, frames: int) -> None:
        """Look at all that is held; `frames` of it are done then, the rest begins the next piece."""
        held = self._room[:, : self._held]
        for name, key in self._keys.items():
            self._found.append((self._start / self._rate, name, find_marks(held, self._rate, key)))
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


def _overall(confidence: float, looks: int) -> float:
    """Return the confidence of a find among several pieces and keys: each of them could have brought a false one."""
    return 1.0 - min(1.0, looks * (1.0 - confidence))


def _joined(segments: list[KeyedSegment]) -> tuple[KeyedSegment, ...]:
    """Join stretches that say the same and touch, across the borders of pieces."""
    joined: list[KeyedSegment] = []
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
