"""Where the mark lies: bands times slots, each tile raised or lowered a little.

A frame of 96 slots of 20 ms repeats without end. Of its tiles, a third are known (they give the place in the frame),
the others carry the 48 code bits, each in many tiles spread over the frame by the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ..core.watermark_layout import BANDS, SLOTS
from .key import WatermarkKey
from .payload import CODE_BITS, encode

#: Tiles of this kind carry no bit.
SYNC: Final = -1
SYNC_TILES: Final = BANDS * SLOTS // 3
#: Each band's centre is the last one's times this plus that: 230 Hz to 3.48 kHz, spacing 93 to 206 Hz. So it is
#: left standing by an 8 kHz recording, and is finer than hearing's own bands above 1 kHz.
LOWEST_HZ: Final = 230.0
SPACING_RATIO: Final = 1.036
SPACING_HZ: Final = 85.0
#: From each frequency on, the part of the strength that a band moves by: low bands, in which a voice's harmonics stand
#: alone, spoil PESQ most, and high ones, finer than hearing's own, least; chosen on the detector's training speakers.
SHARES: Final = ((0.0, 0.7), (900.0, 1.1), (1_800.0, 1.5))


@dataclass(frozen=True, slots=True)
class Pattern:
    """A key's frame.

    Parameters
    ----------
    signs
        +-1, (SLOTS, BANDS).
    bits
        Which code bit a tile carries, or SYNC; (SLOTS, BANDS).
    """

    signs: npt.NDArray[np.float64]
    bits: npt.NDArray[np.int64]

    def tiles(self, payload: int) -> npt.NDArray[np.float64]:
        """Return +-1 for each tile of a frame with this payload: raised or lowered."""
        polarity = np.append(2.0 * encode(payload) - 1.0, 1.0)
        tiles: npt.NDArray[np.float64] = self.signs * polarity[self.bits]
        return tiles


@lru_cache(maxsize=8)
def pattern_of(key: WatermarkKey) -> Pattern:
    """Return the pattern of a key."""
    count = SLOTS * BANDS
    signs = np.where(key.random_words("signs", count) & np.uint64(1), 1.0, -1.0).reshape(SLOTS, BANDS)
    shuffled = np.argsort(key.random_words("places", count), kind="stable")
    bits = np.full(count, SYNC, np.int64)
    carriers = shuffled[SYNC_TILES:]
    bits[carriers] = np.arange(carriers.size) % CODE_BITS
    return Pattern(signs, bits.reshape(SLOTS, BANDS))


def band_centres_hz() -> npt.NDArray[np.float64]:
    """Return the middle of each band."""
    centres = [LOWEST_HZ]
    while len(centres) < BANDS:
        centres.append(SPACING_RATIO * centres[-1] + SPACING_HZ)
    return np.array(centres)


def band_widths_hz() -> npt.NDArray[np.float64]:
    """Return each band's width at -3 dB: the distance to the next band."""
    widths: npt.NDArray[np.float64] = (SPACING_RATIO - 1.0) * band_centres_hz() + SPACING_HZ
    return widths


def band_shares() -> npt.NDArray[np.float64]:
    """Return what part of the strength each band moves by."""
    begins, shares = np.array(SHARES).T
    found: npt.NDArray[np.float64] = shares[np.searchsorted(begins, band_centres_hz(), side="right") - 1]
    return found
