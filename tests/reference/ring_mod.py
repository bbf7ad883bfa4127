"""The product with a sine, from the formula."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def ring_mod(signal: npt.NDArray[np.float32], carrier_hz: float, mix: float, rate_hz: int) -> npt.NDArray[np.float64]:
    carrier = np.sin(2 * np.pi * carrier_hz * np.arange(1, len(signal) + 1) / rate_hz)
    return np.asarray((1 - mix) * signal + mix * signal * carrier, np.float64)
