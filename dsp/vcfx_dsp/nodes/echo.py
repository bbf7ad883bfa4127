"""Echo: a delay with damped feedback whose time can change without a click or a pitch glide."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ..core.crossfade import linear_gain
from ..core.kernel import kernel, unpack
from ..core.ramp import RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

MAX_TIME_MS = 2_000.0
FADE_MS = 40.0
SILENCE_RATIO = 1e-6
MAX_TAIL_S = 60.0
DELAY, FEEDBACK, MIX, DAMPING, RAMP_FRAMES, FADE_FRAMES = range(6)
LENGTH, POSITION, PRESENT, NEXT, FADED = range(5)
FEEDBACK_RAMP, MIX_RAMP, DAMPING_RAMP, LOWPASS = (RAMP_SIZE * index for index in range(4))


@kernel
def _echo(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, line, x, y = unpack(state, block_in, block_out, channels, frames)
    ramp_retarget(memory, FEEDBACK_RAMP, settings[FEEDBACK], settings[RAMP_FRAMES])
    ramp_retarget(memory, MIX_RAMP, settings[MIX], settings[RAMP_FRAMES])
    ramp_retarget(memory, DAMPING_RAMP, settings[DAMPING], settings[RAMP_FRAMES])
    wanted, fade_frames = int(settings[DELAY]), int(settings[FADE_FRAMES])
    length, position, present = counters[LENGTH], counters[POSITION], counters[PRESENT]
    following, faded = counters[NEXT], counters[FADED]
    for frame in range(frames):
        feedback = ramp_next(memory, FEEDBACK_RAMP)
        mix = ramp_next(memory, MIX_RAMP)
        damping = ramp_next(memory, DAMPING_RAMP)
        if following == present and wanted != present:
            following = wanted  # a fade that runs is finished first
            faded = 0
        faded += 1
        gain = linear_gain(faded, fade_frames)
        old_at = (position + length - present) % length
        new_at = (position + length - following) % length
        for channel in range(channels):
            base = channel * length
            old = line[base + old_at]
            delayed = old + gain * (line[base + new_at] - old)
            memory[LOWPASS + channel] += damping * (delayed - memory[LOWPASS + channel])
            dry = x[channel, frame]
            line[base + position] = dry + feedback * memory[LOWPASS + channel]
            y[channel, frame] = (1.0 - mix) * dry + mix * delayed
        if gain >= 1.0:
            present = following
            faded = fade_frames
        position += 1
        if position == length:
            position = 0
    counters[POSITION], counters[PRESENT] = position, present
    counters[NEXT], counters[FADED] = following, faded


class Echo(KernelNode):
    """Repeat the voice after a time, each repeat weaker and duller than the last.

    Wet signal: ``d[n] = w[n - time]`` with ``w = x + feedback_ratio * lowpass(d)``, a one-pole lowpass; output:
    ``(1 - mix_ratio) * x + mix_ratio * d``. A new time is reached by a 40 ms crossfade between two taps.

    Parameters
    ----------
    time_ms
        1 to 2000, rounded to whole samples.
    feedback_ratio
        0 (one repeat) to 0.95.
    cutoff_hz
        500 to 20000: -3 dB point of the lowpass that each further repeat passes.
    mix_ratio
        0 (the input, same bits) to 1 (repeats only). Latency: 0.
    """

    kind: ClassVar[str] = "echo"
    PARAMETERS = (
        Parameter("time_ms", 250.0, 1.0, MAX_TIME_MS, doc="time between repeats"),
        Parameter("feedback_ratio", 0.35, 0.0, 0.95, doc="level of each repeat against the one before"),
        Parameter("cutoff_hz", 4_000.0, 500.0, 20_000.0, doc="treble limit of the feedback"),
        Parameter("mix_ratio", 0.3, 0.0, 1.0, doc="0 is the input, 1 the repeats alone"),
    )
    kernel = _echo

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Delay in samples, feedback, mix, lowpass coefficient, ramp and fade lengths in frames."""
        given = {name: float(value) for name, value in self._parameters.items()}
        delay = max(round(given["time_ms"] * 1e-3 * spec.sample_rate), 1)
        damping = 1.0 - math.exp(-2.0 * math.pi * given["cutoff_hz"] / spec.sample_rate)
        ramp_frames, fade_frames = (round(time * 1e-3 * spec.sample_rate) for time in (RAMP_MS, FADE_MS))
        return [delay, given["feedback_ratio"], given["mix_ratio"], damping, ramp_frames, fade_frames]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Silent lines for the longest time; taps and ramps at rest."""
        settings = self.settings(spec)
        length = round(MAX_TIME_MS * 1e-3 * spec.sample_rate) + 1
        delay, fade_frames = int(settings[DELAY]), int(settings[FADE_FRAMES])
        ramps = [*ramp_memory(settings[FEEDBACK]), *ramp_memory(settings[MIX]), *ramp_memory(settings[DAMPING])]
        return State(
            settings,
            counters=[length, 0, delay, delay, fade_frames],
            memory=[*ramps, *([0.0] * spec.channels)],
            samples=np.zeros(length * spec.channels, np.float32),
        )

    @property
    def tail_samples(self) -> int:
        """Until repeats that piled up at full scale are below -120 dBFS; at most 60 s."""
        delay, feedback, mix, damping, *_ = self.settings(self.spec)
        if mix == 0.0:
            return 0
        repeats = 0
        if feedback > 0.0:
            repeats = max(math.ceil(math.log(SILENCE_RATIO * (1.0 - feedback)) / math.log(feedback)), 0)
        smear_samples = (repeats + 6.0 * math.sqrt(repeats) + 14.0) / damping if repeats else 0.0
        return min(math.ceil(delay * (repeats + 1) + smear_samples), int(MAX_TAIL_S * self.spec.sample_rate))
