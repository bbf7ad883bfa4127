"""Drive: soft saturation at four times the sample rate, its curve averaged between samples."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..core.kernel import compiled, kernel, unpack
from ..core.ramp import RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

OVERSAMPLING = 4
WINDOW = 24  # frames under each filter
UP_LENGTH = OVERSAMPLING * WINDOW  # 96 taps: a delay of 47.5 fast samples
DOWN_LENGTH = UP_LENGTH - 1  # 95 taps: 47; the averaging adds 0.5, and the last of a frame's four samples is 3 ahead
LATENCY_SAMPLES = 23  # (47.5 + 47 + 0.5 - 3) / 4
CUTOFF_RATIO = 0.46  # of the sample rate: -6 dB; what folds back lands above it
KAISER_BETA = 8.0
LIFT_DB = 160.0  # for the tail: 120 dB of silence, and small signals are lifted by the drive
DRIVE, MIX, TONE, RAMP_FRAMES = range(4)
DRIVE_RAMP, MIX_RAMP, TONE_RAMP = (RAMP_SIZE * index for index in range(3))
UP_TAPS = 3 * RAMP_SIZE
DOWN_TAPS = UP_TAPS + UP_LENGTH
CHANNELS = DOWN_TAPS + UP_LENGTH
# One channel: scalars, then both histories, each stored twice in a row so that a window is always in one piece.
LAST, LAST_ROOT, LOWPASS, UP_HISTORY = range(4)
DOWN_HISTORY = UP_HISTORY + 2 * WINDOW
CHANNEL_SIZE = DOWN_HISTORY + 2 * UP_LENGTH
WINDOW_AT, DRY_AT = range(2)


@compiled
def _saturate(memory: Any, at: int, value: float) -> float:
    """Return the mean of ``u / sqrt(1 + u^2)`` over the line from the last value to this one.

    Its antiderivative is ``sqrt(1 + u^2)``; the difference quotient of that has no small denominator when written so.
    """
    root = math.sqrt(1.0 + value * value)
    mean = (value + memory[at + LAST]) / (root + memory[at + LAST_ROOT])
    memory[at + LAST] = value
    memory[at + LAST_ROOT] = root
    return mean  # type: ignore[no-any-return]


@compiled
def _saturate_frame(memory: Any, at: int, window_at: int, value: float) -> float:
    """Take one frame up, through the curve and down again; the four fast samples are worked side by side."""
    newest = at + UP_HISTORY + window_at + WINDOW
    memory[newest - WINDOW] = value
    memory[newest] = value
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    for age in range(WINDOW):
        past, tap = memory[newest - age], UP_TAPS + OVERSAMPLING * age
        first += memory[tap] * past
        second += memory[tap + 1] * past
        third += memory[tap + 2] * past
        fourth += memory[tap + 3] * past
    fast = (
        _saturate(memory, at, first),
        _saturate(memory, at, second),
        _saturate(memory, at, third),
        _saturate(memory, at, fourth),
    )
    start = at + DOWN_HISTORY + OVERSAMPLING * window_at
    for index in range(OVERSAMPLING):
        memory[start + index] = fast[index]
        memory[start + index + UP_LENGTH] = fast[index]
    oldest = start + OVERSAMPLING  # of the window that ends with what was just written
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    for index in range(0, UP_LENGTH, OVERSAMPLING):
        first += memory[DOWN_TAPS + index] * memory[oldest + index]
        second += memory[DOWN_TAPS + index + 1] * memory[oldest + index + 1]
        third += memory[DOWN_TAPS + index + 2] * memory[oldest + index + 2]
        fourth += memory[DOWN_TAPS + index + 3] * memory[oldest + index + 3]
    return (first + second) + (third + fourth)


@kernel
def _drive(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, line, x, y = unpack(state, block_in, block_out, channels, frames)
    for ramp in range(3):
        ramp_retarget(memory, ramp * RAMP_SIZE, settings[ramp], settings[RAMP_FRAMES])
    window_at, dry_at = counters[WINDOW_AT], counters[DRY_AT]
    for frame in range(frames):
        drive = ramp_next(memory, DRIVE_RAMP)
        mix = ramp_next(memory, MIX_RAMP)
        tone = ramp_next(memory, TONE_RAMP)
        full_scale = math.sqrt(1.0 + drive * drive) / drive
        for channel in range(channels):
            at = CHANNELS + channel * CHANNEL_SIZE
            sample = x[channel, frame]
            shaped = full_scale * _saturate_frame(memory, at, window_at, drive * sample)
            memory[at + LOWPASS] += tone * (shaped - memory[at + LOWPASS])
            dry = line[channel * LATENCY_SAMPLES + dry_at]
            line[channel * LATENCY_SAMPLES + dry_at] = sample
            y[channel, frame] = (1.0 - mix) * dry + mix * memory[at + LOWPASS]
        window_at = (window_at + 1) % WINDOW
        dry_at = (dry_at + 1) % LATENCY_SAMPLES
    counters[WINDOW_AT], counters[DRY_AT] = window_at, dry_at


class Drive(KernelNode):
    """Saturate softly: ``f(g x) / f(g)`` with ``f(u) = u / sqrt(1 + u^2)`` and g the drive; 1 stays 1.

    Antiderivative antialiasing of first order (J. Parker, V. Zavalishin, E. Le Bivic, DAFx 2016) at four times the
    sample rate. Latency: 23 samples, for the dry part too.

    Parameters
    ----------
    drive_db
        0 to 48: gain into the curve.
    cutoff_hz
        500 to 20000: -3 dB point of a one-pole lowpass behind it.
    mix_ratio
        0 (the input 23 samples later, same bits) to 1.
    """

    kind: ClassVar[str] = "drive"
    PARAMETERS = (
        Parameter("drive_db", 12.0, 0.0, 48.0, doc="gain into the curve"),
        Parameter("cutoff_hz", 8_000.0, 500.0, 20_000.0, doc="treble limit of the saturated voice"),
        Parameter("mix_ratio", 1.0, 0.0, 1.0, doc="0 is the input, 1 the saturated voice alone"),
    )
    kernel = _drive

    @property
    def latency_samples(self) -> int:
        """Delay of both filters and of the averaging."""
        return LATENCY_SAMPLES

    @property
    def tail_samples(self) -> int:
        """Both filters' length and the lowpass's decay."""
        decay = LIFT_DB / 20.0 * math.log(10.0) / self.settings(self.spec)[TONE]
        return 2 * WINDOW + math.ceil(decay)

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Linear drive, mix, lowpass coefficient, ramp length in frames."""
        drive_db, cutoff_hz, mix = (float(self._parameters[p.name]) for p in self.PARAMETERS)
        tone = 1.0 - math.exp(-2.0 * math.pi * cutoff_hz / spec.sample_rate)
        return [10.0 ** (drive_db / 20.0), mix, tone, round(RAMP_MS * 1e-3 * spec.sample_rate)]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Silence in every history, ramps at rest."""
        settings = self.settings(spec)
        ramps = [value for target in settings[:RAMP_FRAMES] for value in ramp_memory(target)]
        up = OVERSAMPLING * lowpass_taps(UP_LENGTH)
        down = np.append(0.0, lowpass_taps(DOWN_LENGTH))
        channel = np.zeros(CHANNEL_SIZE)
        channel[LAST_ROOT] = 1.0
        return State(
            settings,
            counters=[0, 0],
            memory=np.concatenate([ramps, up, down, *([channel] * spec.channels)]),
            samples=np.zeros(LATENCY_SAMPLES * spec.channels, np.float32),
        )


def lowpass_taps(taps: int) -> npt.NDArray[np.float64]:
    """Return a Kaiser-windowed sinc at four times the sample rate, of gain 1 at 0 Hz."""
    time = np.arange(taps) - 0.5 * (taps - 1)
    response = np.sinc(2.0 * CUTOFF_RATIO / OVERSAMPLING * time) * np.kaiser(taps, KAISER_BETA)
    return np.asarray(response / response.sum(), np.float64)
