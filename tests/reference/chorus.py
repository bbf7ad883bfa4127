"""The swinging delay by Lagrange's formula through the four nearest samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def chorus(
    signal: npt.NDArray[np.float32], rate: float, depth_ms: float, delay_ms: float, mix: float, rate_hz: int
) -> npt.NDArray[np.float64]:
    """First channel; `rate` is in swings per second."""
    reach = 3_000
    padded = np.concatenate([np.zeros(reach), signal])
    n = np.arange(len(signal))
    swing = np.sin(np.pi * rate * n / rate_hz) ** 2
    wanted = reach + n - np.maximum(delay_ms * rate_hz / 1_000, 2.0) - depth_ms * rate_hz / 1_000 * swing
    start = np.ceil(wanted).astype(int) - 2
    wet = np.zeros(len(signal))
    for node in range(4):
        weight = np.ones(len(signal))
        for other in {0, 1, 2, 3} - {node}:
            weight *= (wanted - start - other) / (node - other)
        wet += weight * padded[start + node]
    return (1 - mix) * signal + mix * wet
