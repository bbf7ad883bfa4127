"""Removal by somebody who knows key, payload and place: the tiles turned upside down at the same strength."""

from __future__ import annotations

import numpy as np

from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.nodes.watermark import DEPTH, Watermark

from .sound import Sound


def removed(marked: Sound, payload: int, strength_db: float) -> Sound:
    """Return the sound with each raised tile lowered by as much, and each lowered one raised."""
    node = Watermark(payload=float(payload), strength_db=strength_db)
    node.prepare(ProcessSpec(marked.sample_rate, marked.audio.size, 1))
    node.state.settings[DEPTH] *= -1.0
    out = np.empty((1, marked.audio.size), np.float32)
    node.process(np.ascontiguousarray(marked.audio[None]), out)
    return Sound(out[0], marked.sample_rate)
