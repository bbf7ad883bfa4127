"""Crush: fewer bits and fewer samples, with all the roughness that brings."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ..core.kernel import kernel, unpack
from ..core.ramp import RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

LEVELS, HOLD, MIX, RAMP_FRAMES = range(4)
LEVELS_RAMP, MIX_RAMP = 0, RAMP_SIZE
WAITED = 0


@kernel
def _crush(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, held, x, y = unpack(state, block_in, block_out, channels, frames)
    ramp_retarget(memory, LEVELS_RAMP, settings[LEVELS], settings[RAMP_FRAMES])
    ramp_retarget(memory, MIX_RAMP, settings[MIX], settings[RAMP_FRAMES])
    hold, waited = int(settings[HOLD]), counters[WAITED]
    for frame in range(frames):
        levels = 2.0 ** ramp_next(memory, LEVELS_RAMP)
        mix = ramp_next(memory, MIX_RAMP)
        take = waited == 0
        waited += 1
        if waited >= hold:
            waited = 0
        for channel in range(channels):
            dry = x[channel, frame]
            if take:
                held[channel] = math.floor(dry * levels + 0.5) / levels
            y[channel, frame] = (1.0 - mix) * dry + mix * held[channel]
    counters[WAITED] = waited


class Crush(KernelNode):
    """Keep every n-th sample until the next and round it to a coarse scale, on purpose without a filter.

    The scale has steps of ``2 ** (1 - bits)`` around 0, so silence stays silence; nothing is clipped.

    Parameters
    ----------
    bits
        1 to 24, broken numbers too; a change glides over 10 ms.
    downsample_ratio
        1 to 64: how many samples share one value; a change counts from the next kept sample.
    mix_ratio
        0 (the input, same bits) to 1. Latency: 0 (a held sample trails the input by up to downsample_ratio - 1).
    """

    kind: ClassVar[str] = "crush"
    PARAMETERS = (
        Parameter("bits", 8.0, 1.0, 24.0, doc="width of a sample"),
        Parameter("downsample_ratio", 4, 1, 64, integer=True, doc="how many samples share one value"),
        Parameter("mix_ratio", 1.0, 0.0, 1.0, doc="0 is the input, 1 the crushed voice alone"),
    )
    kernel = _crush

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Binary logarithm of levels per unit, samples per value, mix, ramp length in frames."""
        bits, hold, mix = (float(self._parameters[name]) for name in ("bits", "downsample_ratio", "mix_ratio"))
        return [bits - 1.0, hold, mix, round(RAMP_MS * 1e-3 * spec.sample_rate)]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Nothing held, ramps at rest."""
        settings = self.settings(spec)
        return State(
            settings,
            counters=[0],
            memory=[*ramp_memory(settings[LEVELS]), *ramp_memory(settings[MIX])],
            samples=np.zeros(spec.channels, np.float32),
        )

    @property
    def tail_samples(self) -> int:
        """One held value."""
        return int(self._parameters["downsample_ratio"]) - 1
