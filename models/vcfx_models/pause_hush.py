"""Takes the hum out of pauses: what is left of the harmonics where nobody has spoken with a voice for a while."""

from __future__ import annotations

from typing import Final

import numpy as np

from .networks_protocol import Singles

#: Subframes of 5 ms without voice before anything is lowered: longer than most voiceless sounds, and than what the F0
#: tracker misses inside words. Lowering at once cost words (`models/EXPERIMENTS.md`).
PATIENCE: Final = 24
#: A subframe this periodic counts as voice even where the tracker found no F0.
LEAST_STRENGTH: Final = 0.6
#: A subframe this loud (`frame_level`, of speech at the networks' level) is no pause, whatever the tracker says: one
#: voiced subframe in a hundred is fainter. Without this, words were lost (`models/EXPERIMENTS.md`).
LOUDEST_PAUSE: Final = -8.0
#: Natural log of amplitude: 2 dB a subframe, 52 dB in all.
STEP, MOST = 0.25, 6.0


class PauseHush:
    """Lowers harmonics in pauses; the same however the frames are cut."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Return to the start. Thread: worker."""
        self._quiet, self._depth = 0, 0.0

    def lower(self, harmonic_log: Singles, voicing: Singles, strength: Singles, energy: Singles) -> Singles:
        """Return (subframes, bands) with pauses lowered; the others are (subframes,). Thread: worker."""
        depths = np.zeros(len(voicing), np.float32)
        is_speech = (voicing > 0.0) | (strength > LEAST_STRENGTH) | (energy > LOUDEST_PAUSE)
        for index, is_spoken in enumerate(is_speech.tolist()):
            self._quiet = 0 if is_spoken else self._quiet + 1
            self._depth = min(self._depth + STEP, MOST) if self._quiet > PATIENCE else 0.0
            depths[index] = self._depth
        return np.asarray(harmonic_log - depths[:, None], np.float32)
