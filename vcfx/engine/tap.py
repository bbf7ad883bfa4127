"""A tap on the engine: rings that the audio thread fills with what goes in, what goes out, or both."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcfx_dsp.ring import Ring

from . import cells as c
from .engine import Engine

SIDES = {"dry": ("dry",), "wet": ("wet",), "both": ("dry", "wet")}


class Tap:
    """Listens from `attach` to `detach`; both sides begin with the same block. Thread: any one, not the audio's.

    Parameters
    ----------
    slot
        `cells.RECORD_TAP` or `cells.ANALYSIS_TAP`: each has one listener at a time.
    sides
        ``dry`` (what goes in), ``wet`` (what goes out) or ``both``.
    seconds
        How much may wait to be read; what does not fit is left out and counted.
    """

    def __init__(self, engine: Engine, slot: int, sides: str, seconds: float) -> None:
        self._engine, self._slot = engine, slot
        frames = int(seconds * engine.sample_rate)
        self.rings = {side: Ring(engine.channels, frames) for side in SIDES[sides]}
        self._fields: npt.NDArray[np.int64] = np.zeros(c.TAP_SIZE, np.int64)
        for field, side in ((c.TAP_DRY, "dry"), (c.TAP_WET, "wet")):
            self._fields[field] = self.rings[side].address if side in self.rings else 0
        self._fields[c.TAP_FIRST_BLOCK] = -1

    @property
    def first_block(self) -> int | None:
        """Number of the first block that the tap got; None before."""
        block = int(self._fields[c.TAP_FIRST_BLOCK])
        return None if block < 0 else block

    @property
    def lost_frames(self) -> int:
        """Frames that found no room."""
        return max(ring.refused_frames for ring in self.rings.values())

    def attach(self) -> None:
        """Listen from the next block on."""
        self._engine.set_cell(self._slot, int(self._fields.ctypes.data))

    def close_ears(self) -> None:
        """Listen to no further block; the one that is being rendered may still come."""
        self._engine.set_cell(self._slot, 0)

    def detach(self) -> None:
        """Listen no more; what has been heard can still be read."""
        self.close_ears()
        self._engine.wait_for_block()  # the audio thread may be writing the last one
