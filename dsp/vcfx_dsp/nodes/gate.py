"""Noise gate with hysteresis, hold and look-ahead."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..core.kernel import compiled, kernel, unpack
from ..core.ramp import FRAMES_LEFT, RAMP_MS, RAMP_SIZE, VALUE, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

ALWAYS_OPEN_DB = -120.0
NEPERS_PER_DB = math.log(10.0) / 20.0
OPEN_LEVEL, CLOSE_LEVEL, HOLD_FRAMES, OPENING, CLOSING, RANGE_NEPERS, RAMP_FRAMES = range(7)
POSITION, DELAY, HOLD_LEFT = range(3)
# memory: the ramp of the range, then
OPENNESS, GAIN, GAIN_RANGE = range(RAMP_SIZE, RAMP_SIZE + 3)


@compiled
def _next_gain(settings: Any, counters: Any, memory: Any, level: float) -> float:
    """Advance by one frame whose loudest channel is at `level`."""
    threshold = settings[CLOSE_LEVEL] if counters[HOLD_LEFT] > 0 else settings[OPEN_LEVEL]
    if level >= threshold:
        counters[HOLD_LEFT] = int(settings[HOLD_FRAMES]) + 1
    elif counters[HOLD_LEFT] > 0:
        counters[HOLD_LEFT] -= 1
    former = memory[OPENNESS]
    if counters[HOLD_LEFT] > 0:
        openness = former + settings[OPENING]
        openness = 1.0 if openness > 1.0 - 1e-9 else openness  # the sum of n steps of 1/n is not quite 1
    else:
        openness = former - settings[CLOSING]
        openness = 0.0 if openness < 1e-9 else openness
    range_nepers = ramp_next(memory, 0)
    if openness != former or range_nepers != memory[GAIN_RANGE]:
        memory[OPENNESS], memory[GAIN_RANGE] = openness, range_nepers
        memory[GAIN] = math.exp(range_nepers * (openness - 1.0))
    gain: float = memory[GAIN]
    return gain


@compiled
def _level(x: Any, channels: int, frame: int) -> float:
    level = 0.0
    for channel in range(channels):
        level = max(level, abs(x[channel, frame]))
    return level


@compiled
def _steady_frames(settings: Any, counters: Any, memory: Any, x: Any, channels: int, start: int, stop: int) -> int:
    """Return how many frames from `start` on surely leave the gain as it is, and count the hold on for them."""
    if memory[FRAMES_LEFT] > 0.0 or memory[VALUE] != memory[GAIN_RANGE]:
        return 0
    hold_left = counters[HOLD_LEFT]
    if memory[OPENNESS] == 0.0 and hold_left == 0:
        frame = start
        while frame < stop and _level(x, channels, frame) < settings[OPEN_LEVEL]:
            frame += 1
        return frame - start
    if memory[OPENNESS] < 1.0 or hold_left == 0:
        return 0
    stop = min(stop, start + hold_left - 1)
    soft = 0
    while start + soft < stop and not _level(x, channels, stop - 1 - soft) >= settings[CLOSE_LEVEL]:
        soft += 1
    counters[HOLD_LEFT] = hold_left - soft if start + soft == stop else int(settings[HOLD_FRAMES]) + 1 - soft
    return stop - start


@compiled
def _let_through(
    samples: Any, x: Any, y: Any, channel: int, start: int, stop: int, gain: float, delay: int, position: int
) -> None:
    """Delay frames start..stop of a channel and multiply them by the gain."""
    if delay == 0:
        for frame in range(start, stop):
            y[channel, frame] = x[channel, frame] * gain
        return
    first = channel * delay
    for frame in range(start, stop):
        sample = x[channel, frame]
        y[channel, frame] = samples[first + position] * gain
        samples[first + position] = sample
        position = position + 1 if position + 1 < delay else 0


@kernel
def _gate(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, samples, x, y = unpack(state, block_in, block_out, channels, frames)
    ramp_retarget(memory, 0, settings[RANGE_NEPERS], settings[RAMP_FRAMES])
    delay, frame = counters[DELAY], 0
    while frame < frames:
        stop = frame + _steady_frames(settings, counters, memory, x, channels, frame, frames)
        gain = memory[GAIN]
        if stop == frame:
            gain = _next_gain(settings, counters, memory, _level(x, channels, frame))
            stop = frame + 1
        position = counters[POSITION]
        for channel in range(channels):
            _let_through(samples, x, y, channel, frame, stop, gain, delay, position)
        if delay > 0:
            counters[POSITION] = (position + stop - frame) % delay
        frame = stop


class Gate(KernelNode):
    """Turn the sound down by `range_db` while it is soft; all channels share one detector, the loudest sample.

    Parameters
    ----------
    threshold_db
        -120 to 0 dBFS: a sample of this level opens the gate. At -120 it is always open: the delayed input's bits.
    hysteresis_db
        0 to 24: an open gate counts samples as loud down to this much below the threshold.
    attack_ms
        0.1 to 100: from fully closed to fully open, in a line of dB.
    hold_ms
        0 to 2000: the gain starts to fall this long after the last loud sample has left the output.
    release_ms
        1 to 4000: from fully open to fully closed, in a line of dB.
    range_db
        0 to 120: attenuation when closed.
    lookahead_ms
        0 to 20: the opening starts this long before the sound that caused it leaves; not live. Latency: as long.
    """

    kind: ClassVar[str] = "gate"
    PARAMETERS = (
        Parameter("threshold_db", -45.0, ALWAYS_OPEN_DB, 0.0, doc="level that opens; -120 is always open"),
        Parameter("hysteresis_db", 6.0, 0.0, 24.0, doc="how far below the threshold it stays open"),
        Parameter("attack_ms", 1.0, 0.1, 100.0, doc="time from closed to open"),
        Parameter("hold_ms", 80.0, 0.0, 2_000.0, doc="time open after the last loud sample"),
        Parameter("release_ms", 150.0, 1.0, 4_000.0, doc="time from open to closed"),
        Parameter("range_db", 60.0, 0.0, 120.0, doc="attenuation when closed"),
        Parameter("lookahead_ms", 1.0, 0.0, 20.0, live=False, doc="how far ahead the detector hears; the latency"),
    )
    kernel = _gate

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Levels as amplitudes, the hold in frames, openness per frame, the range in nepers."""
        value = {name: float(given) for name, given in self._parameters.items()}
        open_db, frames_per_ms = value["threshold_db"], spec.sample_rate * 1e-3
        always = open_db <= ALWAYS_OPEN_DB
        return [
            0.0 if always else 10.0 ** (open_db / 20.0),
            0.0 if always else 10.0 ** ((open_db - value["hysteresis_db"]) / 20.0),
            round(value["hold_ms"] * frames_per_ms) + self._delay(spec),
            1.0 / max(1, round(value["attack_ms"] * frames_per_ms)),
            1.0 / max(1, round(value["release_ms"] * frames_per_ms)),
            value["range_db"] * NEPERS_PER_DB,
            RAMP_MS * frames_per_ms,
        ]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Closed, unless it is always open; an empty delay line."""
        settings, delay = self.settings(spec), self._delay(spec)
        range_nepers = settings[RANGE_NEPERS]
        openness = 1.0 if settings[OPEN_LEVEL] == 0.0 else 0.0
        gain = math.exp(range_nepers * (openness - 1.0))
        memory = [*ramp_memory(range_nepers), openness, gain, range_nepers]
        return State(settings, [0, delay, 0], memory, [0.0] * (delay * spec.channels))

    def _delay(self, spec: ProcessSpec) -> int:
        return round(float(self._parameters["lookahead_ms"]) * 1e-3 * spec.sample_rate)

    @property
    def latency_samples(self) -> int:
        """The look-ahead."""
        return self._delay(self.spec)
