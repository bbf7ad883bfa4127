"""A queue of mono samples between two steps that work in blocks of different lengths."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]


class SampleQueue:
    """Samples in order; what is taken before it was put is silence and is dropped when it comes.

    So a sample comes out at its place or not at all, whatever lengths are put and taken.

    Parameters
    ----------
    capacity
        The most samples that wait at a time.
    """

    def __init__(self, capacity: int) -> None:
        self._waiting: Samples = np.zeros(capacity, np.float32)
        self._count = 0
        self._owed = 0

    def __len__(self) -> int:
        return self._count

    def clear(self, silence: int = 0) -> None:
        """Forget all samples and let so many zeros wait."""
        self._waiting[:silence] = 0.0
        self._count, self._owed = silence, 0

    def put(self, samples: Samples) -> None:
        """Append (count,) samples."""
        late = min(self._owed, samples.size)
        self._owed -= late
        kept = samples.size - late
        self._waiting[self._count : self._count + kept] = samples[late:]
        self._count += kept

    def take(self, target: Samples) -> None:
        """Fill `target` with the oldest samples, with silence where there are too few."""
        ready = min(target.size, self._count)
        target[:ready] = self._waiting[:ready]
        target[ready:] = 0.0
        self._owed += target.size - ready
        self._count -= ready
        self._waiting[: self._count] = self._waiting[ready : ready + self._count].copy()
