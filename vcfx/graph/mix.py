"""The sum of several buffers with ramped gains: what happens where edges meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numba import carray

from vcfx_dsp.core.kernel import kernel, unpack
from vcfx_dsp.core.native import as_pointer
from vcfx_dsp.core.ramp import RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from vcfx_dsp.node import KernelNode, ProcessSpec
from vcfx_dsp.state import State


@kernel
def _mix(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, _, _x, y = unpack(state, block_in, block_out, channels, frames)
    ramp_frames = settings[0]
    for channel in range(channels):
        for frame in range(frames):
            y[channel, frame] = 0.0
    for source in range(counters.size):
        block = carray(as_pointer(counters[source]), (channels, frames), np.float32)
        at = source * RAMP_SIZE
        ramp_retarget(memory, at, settings[1 + source], ramp_frames)
        for frame in range(frames):
            gain = np.float32(ramp_next(memory, at))
            for channel in range(channels):
                y[channel, frame] += gain * block[channel, frame]


class Mix(KernelNode):
    """Sum of buffers at fixed addresses; its own input is not read. Latency: 0.

    Parameters
    ----------
    sources
        Addresses of float32 (channels, frames) buffers.
    gains
        Linear, one per source.
    """

    kind: ClassVar[str] = "mix"
    allows_inplace = False
    kernel = _mix

    def __init__(self, sources: Sequence[int], gains: Sequence[float]) -> None:
        super().__init__()
        self._sources = list(sources)
        self.gains = list(gains)

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Ramp length in frames, then the gains."""
        return [RAMP_MS * 1e-3 * spec.sample_rate, *self.gains]

    def initial_state(self, spec: ProcessSpec) -> State:
        """One resting ramp per source."""
        ramps = [number for gain in self.gains for number in ramp_memory(gain)]
        return State(self.settings(spec), self._sources, ramps)

    def _warm_up(self, spec: ProcessSpec) -> None:
        _ = self.kernel.address  # the sources' buffers may be longer than a warm-up block: compile only
