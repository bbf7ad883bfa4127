"""Which speakers and noises no training hears: chosen by checksums of their names, the same everywhere."""

from __future__ import annotations

import zlib

#: Every so many.
SPEAKERS_HELD_OUT, NOISES_HELD_OUT = 20, 5


def is_held_out_speaker(name: str) -> bool:
    """Tell whether "set/speaker" is one that no training hears (the same as in `train_speaker`)."""
    return zlib.crc32(name.encode()) % SPEAKERS_HELD_OUT == 0


def is_held_out_noise(path: str) -> bool:
    """Tell whether a noise of the manifest is one that `train_ge2e` does not mix in."""
    return zlib.crc32(path.encode()) % NOISES_HELD_OUT == 0
