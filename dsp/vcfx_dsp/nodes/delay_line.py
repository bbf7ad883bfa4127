"""Exact delay by whole samples; the graph inserts it so that branches of different latency meet."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ..core.kernel import kernel, unpack
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

MAX_DELAY_SAMPLES = 1 << 21
DELAY, POSITION = range(2)


@kernel
def _delay_line(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    _, counters, _, line, x, y = unpack(state, block_in, block_out, channels, frames)
    delay = counters[DELAY]
    if delay == 0:
        if block_in != block_out:
            for channel in range(channels):
                for frame in range(frames):
                    y[channel, frame] = x[channel, frame]
        return
    end = 0
    for channel in range(channels):
        at = counters[POSITION]
        base = channel * delay
        for frame in range(frames):
            delayed = line[base + at]
            line[base + at] = x[channel, frame]
            y[channel, frame] = delayed
            at += 1
            if at == delay:
                at = 0
        end = at
    counters[POSITION] = end


class DelayLine(KernelNode):
    """Repeat the input, bit for bit, a number of samples later.

    Parameters
    ----------
    delay_samples
        0 to 2097152, fixed while sound runs. Latency: delay_samples.
    """

    kind: ClassVar[str] = "delay_line"
    PARAMETERS = (
        Parameter("delay_samples", 0, 0, MAX_DELAY_SAMPLES, live=False, integer=True, doc="delay in whole samples"),
    )
    kernel = _delay_line

    @property
    def latency_samples(self) -> int:
        """The delay itself."""
        return int(self._parameters["delay_samples"])

    def settings(self, spec: ProcessSpec) -> list[float]:
        """None: the delay is fixed and lives in the counters."""
        return []

    def initial_state(self, spec: ProcessSpec) -> State:
        """A silent line for each channel."""
        delay = self.latency_samples
        return State(self.settings(spec), counters=[delay, 0], samples=np.zeros(delay * spec.channels, np.float32))
