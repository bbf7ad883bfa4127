"""A kernel node's whole state: four arrays with fixed addresses, and the table that leads a kernel to them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class State:
    """Everything that a kernel reads and writes.

    Parameters
    ----------
    settings
        float64, what the node's `settings` computes from its parameters; written between blocks.
    counters
        int64: positions, lengths, flags.
    memory
        float64: filter states, envelopes, tables.
    samples
        float32: delay lines, windows, polyphase tables.
    """

    __slots__ = ("counters", "memory", "samples", "settings", "table")

    def __init__(
        self,
        settings: npt.ArrayLike,
        counters: npt.ArrayLike = (),
        memory: npt.ArrayLike = (),
        samples: npt.ArrayLike = (),
    ) -> None:
        self.settings = np.array(settings, np.float64).ravel()
        self.counters = np.array(counters, np.int64).ravel()
        self.memory = np.array(memory, np.float64).ravel()
        self.samples = np.array(samples, np.float32).ravel()
        arrays = (self.settings, self.counters, self.memory, self.samples)
        self.table = np.array([number for array in arrays for number in (array.ctypes.data, array.size)], np.int64)

    @property
    def address(self) -> int:
        """Address of the table, the first argument of a kernel."""
        return int(self.table.ctypes.data)

    def copy_from(self, other: State) -> None:
        """Take over the other state's contents; addresses stay."""
        self.settings[:] = other.settings
        self.counters[:] = other.counters
        self.memory[:] = other.memory
        self.samples[:] = other.samples
