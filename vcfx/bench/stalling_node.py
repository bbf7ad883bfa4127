"""A host node that inverts the sound and can be told to hold the worker up."""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np

from vcfx_dsp.node import Block, Node, ProcessSpec


class StallingInverter(Node):
    """Turns the sign, so that converted and dry sound can be told apart. Latency: 0."""

    kind: ClassVar[str] = "stalling_inverter"

    def __init__(self) -> None:
        super().__init__()
        #: Seconds by which the next hop is held up; 0 again afterwards.
        self.stall_s = 0.0
        #: When the last stall ended, by `time.monotonic`.
        self.released_s = 0.0

    def prepare(self, spec: ProcessSpec) -> None:
        """Keep the spec."""
        self._spec = spec

    def process(self, block_in: Block, block_out: Block) -> None:
        """Invert, after the stall if there is one."""
        if self.stall_s:
            time.sleep(self.stall_s)
            self.stall_s, self.released_s = 0.0, time.monotonic()
        np.negative(block_in, out=block_out)

    def reset(self) -> None:
        """It remembers nothing."""

    def update(self, **parameters: object) -> None:
        """It has no parameters."""
        self._merged(parameters)
