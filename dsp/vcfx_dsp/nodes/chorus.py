"""Chorus and vibrato: a second reading of the voice through a delay that swings."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..core.kernel import compiled, kernel, unpack
from ..core.oscillator import next_phase
from ..core.ramp import RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

MAX_DEPTH_MS = 10.0
DEPTH_RAMP_MS = 250.0  # a faster change of delay would be heard as a chirp
SPREAD_CYCLES = 0.25  # from channel to channel
STEP, MIX, DEPTH, RAMP_FRAMES, DEPTH_RAMP_FRAMES, SHORTEST = range(6)
STEP_RAMP, MIX_RAMP, DEPTH_RAMP, PHASE = (RAMP_SIZE * index for index in range(4))
LENGTH, POSITION = range(2)


@compiled
def _read_between(line: Any, base: int, length: int, position: int, delay: float) -> float:
    """Return the line `delay` (2 or more) samples before `position`, by a cubic through four samples (Lagrange)."""
    whole = int(delay)
    part = delay - whole
    newest = position - whole + 1 + length  # the sample one step later than the wanted pair
    after = line[base + newest % length]
    near = line[base + (newest - 1) % length]
    far = line[base + (newest - 2) % length]
    before = line[base + (newest - 3) % length]
    rest = 1.0 - part
    outer = part * rest / 6.0
    inner = (1.0 + part) * (2.0 - part) * 0.5
    value: float = inner * (rest * near + part * far) - outer * ((2.0 - part) * after + (1.0 + part) * before)
    return value


@kernel
def _chorus(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, line, x, y = unpack(state, block_in, block_out, channels, frames)
    ramp_retarget(memory, STEP_RAMP, settings[STEP], settings[RAMP_FRAMES])
    ramp_retarget(memory, MIX_RAMP, settings[MIX], settings[RAMP_FRAMES])
    ramp_retarget(memory, DEPTH_RAMP, settings[DEPTH], settings[DEPTH_RAMP_FRAMES])
    length, position, phase = counters[LENGTH], counters[POSITION], memory[PHASE]
    for frame in range(frames):
        mix = ramp_next(memory, MIX_RAMP)
        depth = ramp_next(memory, DEPTH_RAMP)
        for channel in range(channels):
            swing = 0.5 - 0.5 * math.cos(2.0 * math.pi * (phase + SPREAD_CYCLES * channel))
            dry = x[channel, frame]
            line[channel * length + position] = dry
            wet = _read_between(line, channel * length, length, position, settings[SHORTEST] + depth * swing)
            y[channel, frame] = (1.0 - mix) * dry + mix * wet
        phase = next_phase(phase, ramp_next(memory, STEP_RAMP))
        position += 1
        if position == length:
            position = 0
    counters[POSITION], memory[PHASE] = position, phase


class Chorus(KernelNode):
    """Mix the voice with itself behind a delay of ``delay_ms + depth_ms * (1 - cos(2 pi rate t)) / 2``.

    With mix_ratio 1 this is a vibrato: the pitch swings by a factor of 1 ± pi * rate * depth. Each further channel
    swings a quarter of a cycle ahead. Fractions of a sample are read by cubic interpolation.

    Parameters
    ----------
    rate_hz
        0.05 to 10.
    depth_ms
        0 to 10: how far the delay swings; a change takes 250 ms, so that it does not chirp.
    delay_ms
        0.5 to 30: the shortest delay, fixed while sound runs.
    mix_ratio
        0 (the input, same bits) to 1 (the swinging voice only). Latency: 0.
    """

    kind: ClassVar[str] = "chorus"
    PARAMETERS = (
        Parameter("rate_hz", 0.8, 0.05, 10.0, doc="swings per second"),
        Parameter("depth_ms", 3.0, 0.0, MAX_DEPTH_MS, doc="how far the delay swings"),
        Parameter("delay_ms", 8.0, 0.5, 30.0, live=False, doc="the shortest delay"),
        Parameter("mix_ratio", 0.5, 0.0, 1.0, doc="0 is the input, 1 a vibrato"),
    )
    kernel = _chorus

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Cycles per frame, mix, depth in samples, ramp lengths in frames, shortest delay in samples."""
        rate_hz, depth_ms, delay_ms, mix = (float(self._parameters[p.name]) for p in self.PARAMETERS)
        per_ms = 1e-3 * spec.sample_rate
        ramps = (round(RAMP_MS * per_ms), round(DEPTH_RAMP_MS * per_ms))
        return [rate_hz / spec.sample_rate, mix, depth_ms * per_ms, *ramps, max(delay_ms * per_ms, 2.0)]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Silent lines, phase 0, ramps at rest."""
        settings = self.settings(spec)
        length = math.ceil(settings[SHORTEST] + MAX_DEPTH_MS * 1e-3 * spec.sample_rate) + 4
        ramps = [value for target in settings[: DEPTH + 1] for value in ramp_memory(target)]
        return State(settings, [length, 0], [*ramps, 0.0], np.zeros(length * spec.channels, np.float32))

    @property
    def tail_samples(self) -> int:
        """The longest delay and the cubic's reach."""
        settings = self.settings(self.spec)
        return math.ceil(settings[SHORTEST] + settings[DEPTH]) + 2 if settings[MIX] > 0.0 else 0
