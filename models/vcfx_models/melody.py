"""From the speaker's melody to the target's: the same movements around another mean, as wide as the target's are."""

from __future__ import annotations

import math
from typing import Final

from .geometry import SAMPLE_RATE, SUBFRAME_SAMPLES
from .speaker_range import LEAST_STRENGTH, LEAST_VOICED_S, MOST_VOICED_S, SpeakerRange

SUBFRAME_S: Final = SUBFRAME_SAMPLES / SAMPLE_RATE
SEMITONE: Final = math.log(2.0) / 12.0
LOWEST_HZ, HIGHEST_HZ = 45.0, 900.0

#: What is believed of a speaker who was not heard yet, and how long they must be heard to change that by half.
PRIOR_LOG_F0: Final = math.log(145.0)
PRIOR_SPREAD: Final = 0.22
PRIOR_S: Final = 0.15
#: Once so much voice was heard, what is farther than so many spreads from the mean counts as so far only.
SETTLED_S: Final = 0.5
MOST_SPREADS: Final = 2.5
LEAST_SPREAD: Final = 0.1
#: After so much voice whoever is expected must have been heard: their mean within so many of their spreads.
RECOGNISED_S: Final = 1.0
RECOGNISED_SPREADS: Final = 2.0
#: Spreads (of ln F0) are not compared beyond these ratios.
LEAST_RATIO, MOST_RATIO = 0.6, 1.6
#: What moves the melody is slower than speech melodies are while there is voice, and quick where nobody hears it.
VOICED_PER_S: Final = 2.0 * SEMITONE
UNVOICED_PER_S: Final = 100.0 * SEMITONE
#: But at first it is quick: a speaker's first word in the wrong range is worse than one that glides into it.
STARTING_PER_S: Final = 60.0 * SEMITONE
STARTING_S: Final = 1.0


class SourceRange:
    """Mean and spread of ln F0 of whoever speaks, learned from voiced frames and followed without audible glides."""

    def __init__(self) -> None:
        #: Of the speaker who is expected; None: anybody. Takes effect at the next `reset`.
        self.known: SpeakerRange | None = None
        self.reset()

    def reset(self) -> None:
        """Forget the speaker, but for the one who is expected."""
        known = self.known or SpeakerRange(PRIOR_LOG_F0, PRIOR_SPREAD, PRIOR_S)
        self._count = min(known.voiced_s, MOST_VOICED_S) / SUBFRAME_S
        self._is_starting = self.known is None
        self._mean, self._variance = known.log_mean, known.log_spread**2
        #: What is applied: follows what is known.
        self.mean, self.spread = known.log_mean, known.log_spread
        self._fresh, self._fresh_mean = 0.0, 0.0

    @property
    def heard(self) -> SpeakerRange | None:
        """What is known of the speaker; None before a second of voice."""
        voiced_s = self._count * SUBFRAME_S
        return (
            None
            if voiced_s < LEAST_VOICED_S
            else SpeakerRange(self._mean, min(math.sqrt(self._variance), 1.0), voiced_s)
        )

    def hear(self, log_f0: float, voicing: float, strength: float) -> None:
        """Take in one subframe of 5 ms."""
        if voicing > 0.0 and strength > LEAST_STRENGTH:
            self._learn(log_f0)
            self._recognise(log_f0)
        voiced_per_s = STARTING_PER_S if self._is_starting else VOICED_PER_S
        step = (voiced_per_s if voicing > 0.0 else UNVOICED_PER_S) * SUBFRAME_S
        self.mean += min(max(self._mean - self.mean, -step), step)
        self.spread += min(max(math.sqrt(self._variance) - self.spread, -step), step)

    def _learn(self, log_f0: float) -> None:
        self._count = min(self._count + 1.0, MOST_VOICED_S / SUBFRAME_S)
        away = log_f0 - self._mean
        if self._count > (PRIOR_S + SETTLED_S) / SUBFRAME_S:
            most = MOST_SPREADS * max(math.sqrt(self._variance), LEAST_SPREAD)
            away = min(max(away, -most), most)
        self._mean += away / self._count
        self._variance += (away * away * (1.0 - 1.0 / self._count) - self._variance) / self._count
        self._is_starting = self._is_starting and self._count < (PRIOR_S + STARTING_S) / SUBFRAME_S

    def _recognise(self, log_f0: float) -> None:
        """Begin anew if after a second it is not the one who was expected."""
        if self.known is None or self._fresh >= RECOGNISED_S / SUBFRAME_S:
            return
        self._fresh += 1.0
        self._fresh_mean += (log_f0 - self._fresh_mean) / self._fresh
        most = RECOGNISED_SPREADS * max(self.known.log_spread, LEAST_SPREAD)
        if self._fresh >= RECOGNISED_S / SUBFRAME_S and abs(self._fresh_mean - self.known.log_mean) > most:
            self._count, self._is_starting = PRIOR_S / SUBFRAME_S, True
            self._mean, self._variance = self._fresh_mean, PRIOR_SPREAD**2


def mapped_log_f0(
    log_f0: float, source: SourceRange, mean: float, spread: float, pitch_offset_semitones: float, expressiveness: float
) -> float:
    """Return ln F0 of the target.

    Parameters
    ----------
    log_f0
        Of the speaker, natural log of Hz.
    source
        The speaker's range.
    mean, spread
        Of the target's ln F0.
    pitch_offset_semitones
        Added to all.
    expressiveness
        0: on one note; 1: as the target would; 2: twice that.
    """
    ratio = min(max(spread / max(source.spread, 1e-6), LEAST_RATIO), MOST_RATIO)
    mapped = mean + expressiveness * ratio * (log_f0 - source.mean) + pitch_offset_semitones * SEMITONE
    return min(max(mapped, math.log(LOWEST_HZ)), math.log(HIGHEST_HZ))
