"""The range of a speaker's voice: where the melody lies and how far it moves, and how to find it in a recording."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from vcfx_dsp.f0_tracker import F0Tracker

from .errors import ModelError
from .geometry import F0_HIGHEST_HZ, F0_LOOKAHEAD_HOPS, F0_LOWEST_HZ
from .networks_protocol import Singles

FRAME_S: Final = 0.005
#: Frames less periodic than this say little about the voice.
LEAST_STRENGTH: Final = 0.6
#: Less voice than this is not a range; more than this is not remembered.
LEAST_VOICED_S, MOST_VOICED_S = 1.0, 20.0
#: Frames farther than so many spreads from the median are a tracker's mistakes, or laughter.
MOST_SPREADS: Final = 3.0
LEAST_SPREAD, MOST_SPREAD = 0.05, 0.5
LOWEST_LOG, HIGHEST_LOG = math.log(30.0), math.log(1_000.0)


@dataclass(frozen=True, slots=True)
class SpeakerRange:
    """What is known of a speaker's F0.

    Parameters
    ----------
    log_mean
        Mean of the natural log of F0 in Hz; ln 30 to ln 1000.
    log_spread
        Its standard deviation, 0 to 1.
    voiced_s
        Voiced speech that this rests on, seconds; more than 20 count as 20.
    """

    log_mean: float
    log_spread: float
    voiced_s: float

    def __post_init__(self) -> None:
        numbers = {
            "log_mean": (self.log_mean, LOWEST_LOG, HIGHEST_LOG),
            "log_spread": (self.log_spread, 0.0, 1.0),
            "voiced_s": (self.voiced_s, 0.0, math.inf),
        }
        for name, (value, low, high) in numbers.items():
            if not low <= value <= high:
                raise ModelError(f"{name} of a speaker's range is {value:g}; allowed: {low:.4g} to {high:.4g}")

    @classmethod
    def of(cls, log_f0: Singles) -> Self | None:
        """Return the range of voiced frames of 5 ms, whatever few of them are mistakes; None if there are too few."""
        if log_f0.size < LEAST_VOICED_S / FRAME_S:
            return None
        middle = float(np.median(log_f0))
        away = np.abs(log_f0 - middle)
        spread = min(max(float(np.percentile(away, 68.0)), LEAST_SPREAD), MOST_SPREAD)
        believed = log_f0[away <= MOST_SPREADS * spread]
        return cls(float(believed.mean()), float(believed.std()), believed.size * FRAME_S)


class RangeScan:
    """Finds a speaker's range in a recording that comes piece by piece.

    Parameters
    ----------
    sample_rate
        Hz, 8000 to 192000.
    """

    def __init__(self, sample_rate: int) -> None:
        self._tracker = F0Tracker(sample_rate, F0_LOWEST_HZ, F0_HIGHEST_HZ, F0_LOOKAHEAD_HOPS)
        self._found: list[Singles] = []

    def hear(self, mono: Singles) -> None:
        """Take in the next piece, float32 (frames,)."""
        frames = self._tracker.track(mono)
        is_sure = (frames.f0_hz > 0.0) & (frames.voicing > LEAST_STRENGTH)
        self._found.append(np.log(frames.f0_hz[is_sure]).astype(np.float32))

    def range(self) -> SpeakerRange | None:
        """Return what was found; None if there was less than a second of voice."""
        return SpeakerRange.of(np.concatenate([np.zeros(0, np.float32), *self._found]))
