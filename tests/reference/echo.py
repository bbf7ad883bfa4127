"""Echo from its difference equation, sample by sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]


def echo(signal: Signal, delay: int, feedback: float, damping: float, mix: float) -> Signal:
    """`signal` is one channel; `damping` is the one-pole's coefficient: 1 is no lowpass."""
    fed = np.zeros(delay + len(signal))
    low = 0.0
    wet = np.zeros_like(signal)
    for n, sample in enumerate(signal):
        wet[n] = fed[n]  # fed[n + delay] holds the line's input at time n
        low = (1 - damping) * low + damping * wet[n]
        fed[n + delay] = sample + feedback * low
    return (1 - mix) * signal + mix * wet
