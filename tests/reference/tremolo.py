"""The swinging level, from the formula."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def tremolo(signal: npt.NDArray[np.float32], rate: float, depth: float, rate_hz: int) -> npt.NDArray[np.float64]:
    """`rate` is in swings per second."""
    swing = np.sin(np.pi * rate * np.arange(len(signal)) / rate_hz) ** 2
    return np.asarray(signal * (1 - depth * swing), np.float64)
