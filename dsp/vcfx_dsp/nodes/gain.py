"""Gain with a ramp, and mute."""

from __future__ import annotations

from typing import ClassVar

from ..core.kernel import kernel, unpack
from ..core.ramp import RAMP_MS, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

SILENT_DB = -120.0
GAIN, RAMP_FRAMES = range(2)


@kernel
def _gain(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, _, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    ramp_retarget(memory, 0, settings[GAIN], settings[RAMP_FRAMES])
    for frame in range(frames):
        gain = ramp_next(memory, 0)
        for channel in range(channels):
            y[channel, frame] = x[channel, frame] * gain


class Gain(KernelNode):
    """Multiply by a gain that moves in a 10 ms line to each new value.

    Parameters
    ----------
    gain_db
        -120 to 36; -120 is silence. Latency: 0.
    """

    kind: ClassVar[str] = "gain"
    PARAMETERS = (Parameter("gain_db", 0.0, SILENT_DB, 36.0, doc="level change; -120 is silence"),)
    kernel = _gain

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Linear gain and ramp length in frames."""
        gain_db = float(self._parameters["gain_db"])
        linear = 0.0 if gain_db <= SILENT_DB else 10.0 ** (gain_db / 20.0)
        return [linear, RAMP_MS * 1e-3 * spec.sample_rate]

    def initial_state(self, spec: ProcessSpec) -> State:
        """A ramp that rests at the present gain."""
        settings = self.settings(spec)
        return State(settings, memory=ramp_memory(settings[GAIN]))
