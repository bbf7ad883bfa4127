"""Keep every n-th sample, round it: from the formula."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def crush(signal: npt.NDArray[np.float32], bits: float, hold: int) -> npt.NDArray[np.float64]:
    step = 2.0 ** (1 - bits)
    kept = step * np.floor(signal[::hold].astype(np.float64) / step + 0.5)
    return np.repeat(kept, hold)[: len(signal)]
