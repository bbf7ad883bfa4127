"""The size of the mark's frame: what the kernel and the detector have in common."""

from __future__ import annotations

from typing import Final

BANDS: Final = 24
SLOTS: Final = 96
SLOT_S: Final = 0.02
#: The gain of a band moves from one tile's to the next's in this first part of a slot.
TRANSITION_S: Final = 0.01
FRAME_S: Final = SLOTS * SLOT_S
