"""Tremolo: the level swings at a slow rate."""

from __future__ import annotations

import math
from typing import ClassVar

from ..core.kernel import kernel, unpack
from ..core.oscillator import next_phase
from ..core.ramp import RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

STEP, DEPTH, RAMP_FRAMES = range(3)
STEP_RAMP, DEPTH_RAMP, PHASE = (RAMP_SIZE * index for index in range(3))


@kernel
def _tremolo(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, _, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    ramp_retarget(memory, STEP_RAMP, settings[STEP], settings[RAMP_FRAMES])
    ramp_retarget(memory, DEPTH_RAMP, settings[DEPTH], settings[RAMP_FRAMES])
    phase = memory[PHASE]
    for frame in range(frames):
        gain = 1.0 - ramp_next(memory, DEPTH_RAMP) * (0.5 - 0.5 * math.cos(2.0 * math.pi * phase))
        phase = next_phase(phase, ramp_next(memory, STEP_RAMP))
        for channel in range(channels):
            y[channel, frame] = x[channel, frame] * gain
    memory[PHASE] = phase


class Tremolo(KernelNode):
    """Multiply by ``1 - depth_ratio * (1 - cos(2 pi rate t)) / 2``: from 1 down to 1 - depth_ratio and back.

    Parameters
    ----------
    rate_hz
        0.1 to 50.
    depth_ratio
        0 (the input, same bits) to 1 (down to silence). Latency: 0.
    """

    kind: ClassVar[str] = "tremolo"
    PARAMETERS = (
        Parameter("rate_hz", 5.0, 0.1, 50.0, doc="swings per second"),
        Parameter("depth_ratio", 0.5, 0.0, 1.0, doc="how far the level falls"),
    )
    kernel = _tremolo

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Cycles per frame, depth, ramp length in frames."""
        rate_hz, depth = (float(self._parameters[name]) for name in ("rate_hz", "depth_ratio"))
        return [rate_hz / spec.sample_rate, depth, round(RAMP_MS * 1e-3 * spec.sample_rate)]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Phase 0, where the gain is 1; ramps at rest."""
        settings = self.settings(spec)
        return State(settings, memory=[*ramp_memory(settings[STEP]), *ramp_memory(settings[DEPTH]), 0.0])
