"""A slow gain that brings a microphone's speech to the level that the networks know."""

from __future__ import annotations

import math
from typing import Final

from .geometry import HOP_SAMPLES, SAMPLE_RATE

#: What `MicrophoneLevel` finds in speech whose active level (all within 35 dB of the loudest) is -24 dBFS; measured.
VOICED_TARGET_DBFS: Final = -22.2
LOWEST_GAIN_DB: Final = -12.0
HIGHEST_GAIN_DB: Final = 30.0
FASTEST_DB_PER_S: Final = 6.0
#: The level follows loud speech sooner than faint speech.
RISE_S: Final = 0.5
FALL_S: Final = 1.5
#: How periodic a hop must be to count as voiced speech.
LEAST_STRENGTH: Final = 0.6
_HOP_S: Final = HOP_SAMPLES / SAMPLE_RATE


class MicrophoneLevel:
    """Gain in dB at the end of each hop, from hops before it.

    Only voiced hops move the level: pauses, noise and whisper keep the gain where it is. The gain stays within -12 and
    30 dB and moves by 6 dB a second at most.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the speech; the gain is 0 dB."""
        self.gain_db = 0.0
        self._power = 0.0
        self._heard = 0

    def hear(self, power: float, strength: float) -> None:
        """Take in the mean square of one hop of input before the gain, and how periodic it was."""
        if strength < LEAST_STRENGTH or power <= 0.0:
            return
        self._heard += 1
        time_s = RISE_S if power > self._power else FALL_S
        self._power += (power - self._power) * max(1.0 / self._heard, 1.0 - math.exp(-_HOP_S / time_s))

    def next_gain_db(self) -> float:
        """Move the gain by one hop and return it."""
        if self._heard:
            wanted = VOICED_TARGET_DBFS - 10.0 * math.log10(self._power)
            wanted = min(max(wanted, LOWEST_GAIN_DB), HIGHEST_GAIN_DB)
            step = FASTEST_DB_PER_S * _HOP_S
            self.gain_db += min(max(wanted - self.gain_db, -step), step)
        return self.gain_db
