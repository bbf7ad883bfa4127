"""Finite impulse responses over many frames at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from .kernel import compiled

#: Taps that share one pass over the frames; filters have a multiple of it.
PASS = 4


@compiled
def correlate(window: Any, start: int, taps: Any, row: int, memory: Any, at: int, frames: int) -> None:
    """Store at ``memory[at + f]`` the sum over k of ``window[start + f + k] taps[row, k]``, for each frame f.

    Every frame has its own sum, always added up in the same order, so that frames fill vector registers.
    """
    sums = memory[at : at + frames]  # indices that start at 0 are seen not to count from the end, and vectorise
    for frame in range(frames):
        sums[frame] = 0.0
    for tap in range(0, taps.shape[1], PASS):
        first, second, third, fourth = taps[row, tap], taps[row, tap + 1], taps[row, tap + 2], taps[row, tap + 3]
        part = window[start + tap : start + tap + frames + PASS - 1]
        for frame in range(frames):
            sum_of_pass = np.float64(part[frame]) * first + np.float64(part[frame + 1]) * second
            sum_of_pass += np.float64(part[frame + 2]) * third
            sums[frame] += sum_of_pass + np.float64(part[frame + 3]) * fourth
