"""Ring modulation: the voice times a sine, which moves every frequency up and down by the carrier's."""

from __future__ import annotations

import math
from typing import ClassVar

from ..core.kernel import kernel, unpack
from ..core.oscillator import next_phase
from ..core.ramp import RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

STEP, MIX, RAMP_FRAMES = range(3)
STEP_RAMP, MIX_RAMP, PHASE = (RAMP_SIZE * index for index in range(3))


@kernel
def _ring_mod(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, _, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    ramp_retarget(memory, STEP_RAMP, settings[STEP], settings[RAMP_FRAMES])
    ramp_retarget(memory, MIX_RAMP, settings[MIX], settings[RAMP_FRAMES])
    phase = memory[PHASE]
    for frame in range(frames):
        phase = next_phase(phase, ramp_next(memory, STEP_RAMP))
        mix = ramp_next(memory, MIX_RAMP)
        gain = (1.0 - mix) + mix * math.sin(2.0 * math.pi * phase)
        for channel in range(channels):
            y[channel, frame] = x[channel, frame] * gain
    memory[PHASE] = phase


class RingMod(KernelNode):
    """Compute ``(1 - mix_ratio) * x + mix_ratio * x * sin(carrier)``.

    Sums and differences above half the sample rate fold back, as with any product of signals.

    Parameters
    ----------
    carrier_hz
        1 to 3000; a change glides over 10 ms without a jump of phase.
    mix_ratio
        0 (the input, same bits) to 1. Latency: 0.
    """

    kind: ClassVar[str] = "ring_mod"
    PARAMETERS = (
        Parameter("carrier_hz", 60.0, 1.0, 3_000.0, doc="frequency of the sine"),
        Parameter("mix_ratio", 1.0, 0.0, 1.0, doc="0 is the input, 1 the product alone"),
    )
    kernel = _ring_mod

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Cycles per frame, mix, ramp length in frames."""
        carrier_hz, mix = (float(self._parameters[name]) for name in ("carrier_hz", "mix_ratio"))
        return [carrier_hz / spec.sample_rate, mix, round(RAMP_MS * 1e-3 * spec.sample_rate)]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Phase 0, ramps at rest."""
        settings = self.settings(spec)
        return State(settings, memory=[*ramp_memory(settings[STEP]), *ramp_memory(settings[MIX]), 0.0])
