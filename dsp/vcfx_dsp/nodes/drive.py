"""Drive: soft saturation at four times the sample rate, its curve averaged between samples."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..core.fir import correlate
from ..core.kernel import compiled, kernel, unpack
from ..core.ramp import RAMP_MS, RAMP_SIZE, is_any_moving, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

OVERSAMPLING = 4
WINDOW = 24  # frames under each filter
UP_LENGTH = OVERSAMPLING * WINDOW  # 96 taps: a delay of 47.5 fast samples
DOWN_LENGTH = UP_LENGTH - 1  # 95 taps: 47; the averaging adds 0.5, and the last of a frame's four samples is 3 ahead
LATENCY_SAMPLES = WINDOW - 1  # (47.5 + 47 + 0.5 - 3) / 4
CUTOFF_RATIO = 0.46  # of the sample rate: -6 dB; what folds back lands above it
KAISER_BETA = 8.0
LIFT_DB = 160.0  # for the tail: 120 dB of silence, and small signals are lifted by the drive
DRIVE, MIX, TONE, RAMP_FRAMES = range(4)
RAMPS = 3
ROW_FRAMES = 64  # frames that are worked together
HISTORY = WINDOW - 1
LINE = HISTORY + ROW_FRAMES
LED_ROW = 1 + ROW_FRAMES  # a row after the last number of the row before
# memory: the ramps, then what a row of one channel is worked in, four rows of each, then the channels
SUMS = RAMPS * RAMP_SIZE
VALUES = SUMS + OVERSAMPLING * ROW_FRAMES
ROOTS = VALUES + OVERSAMPLING * LED_ROW
CHANNELS = ROOTS + OVERSAMPLING * LED_ROW
# one channel: scalars, the line to be raised to the fast rate, four lines of fast samples
LAST, LAST_ROOT, LOWPASS, SLOW = range(4)
FAST = SLOW + LINE
CHANNEL_SIZE = FAST + OVERSAMPLING * LINE


def lowpass_taps(taps: int) -> npt.NDArray[np.float64]:
    """Return a Kaiser-windowed sinc at four times the sample rate, of gain 1 at 0 Hz."""
    time = np.arange(taps) - 0.5 * (taps - 1)
    response = np.sinc(2.0 * CUTOFF_RATIO / OVERSAMPLING * time) * np.kaiser(taps, KAISER_BETA)
    return np.asarray(response / response.sum(), np.float64)


UP_TAPS = OVERSAMPLING * lowpass_taps(UP_LENGTH)[::-1].reshape(WINDOW, OVERSAMPLING)[:, ::-1].T.copy()
DOWN_TAPS = np.append(0.0, lowpass_taps(DOWN_LENGTH)).reshape(WINDOW, OVERSAMPLING).T.copy()


@compiled
def _saturate(memory: Any, at: int, frames: int) -> None:
    """Append to the fast lines the means of ``u / sqrt(1 + u^2)`` over the lines from each fast value to the next.

    Its antiderivative is ``sqrt(1 + u^2)``; the difference quotient of that has no small denominator when written so.
    """
    last = OVERSAMPLING - 1
    memory[VALUES + last * LED_ROW], memory[ROOTS + last * LED_ROW] = memory[at + LAST], memory[at + LAST_ROOT]
    for phase in range(OVERSAMPLING):
        values, roots = memory[VALUES + phase * LED_ROW + 1 :], memory[ROOTS + phase * LED_ROW + 1 :]
        for frame in range(frames):
            roots[frame] = math.sqrt(1.0 + values[frame] * values[frame])
    for phase in range(OVERSAMPLING):
        row, before = phase * LED_ROW + 1, (phase - 1) * LED_ROW + 1 if phase > 0 else last * LED_ROW
        values, roots = memory[VALUES + row :], memory[ROOTS + row :]
        values_before, roots_before = memory[VALUES + before :], memory[ROOTS + before :]
        means = memory[at + FAST + phase * LINE + HISTORY :]
        for frame in range(frames):
            means[frame] = (values[frame] + values_before[frame]) / (roots[frame] + roots_before[frame])
    memory[at + LAST] = memory[VALUES + last * LED_ROW + frames]
    memory[at + LAST_ROOT] = memory[ROOTS + last * LED_ROW + frames]


@compiled
def _forget(line: Any, at: int, frames: int) -> None:
    """Move the newest `HISTORY` numbers to the line's front."""
    for index in range(at, at + HISTORY):
        line[index] = line[index + frames]


@compiled
def _saturate_row(memory: Any, at: int, frames: int) -> None:
    """Take the new frames of the slow line up, through the curve and down again, into the first row of sums."""
    for phase in range(OVERSAMPLING):
        correlate(memory, at + SLOW, UP_TAPS, phase, memory, VALUES + phase * LED_ROW + 1, frames)
    _saturate(memory, at, frames)
    for phase in range(OVERSAMPLING):
        correlate(memory, at + FAST + phase * LINE, DOWN_TAPS, phase, memory, SUMS + phase * ROW_FRAMES, frames)
        _forget(memory, at + FAST + phase * LINE, frames)
    _forget(memory, at + SLOW, frames)
    for frame in range(SUMS, SUMS + frames):
        even = memory[frame] + memory[frame + ROW_FRAMES]
        memory[frame] = even + (memory[frame + 2 * ROW_FRAMES] + memory[frame + 3 * ROW_FRAMES])


@compiled
def _process_row(memory: Any, line: Any, x: Any, y: Any, start: int, frames: int) -> None:
    drive = ramp_next(memory, DRIVE * RAMP_SIZE)
    mix = ramp_next(memory, MIX * RAMP_SIZE)
    tone = ramp_next(memory, TONE * RAMP_SIZE)
    full_scale = math.sqrt(1.0 + drive * drive) / drive
    for channel in range(x.shape[0]):
        at, dry = CHANNELS + channel * CHANNEL_SIZE, channel * LINE
        for frame in range(frames):
            memory[at + SLOW + HISTORY + frame] = drive * x[channel, start + frame]
            line[dry + HISTORY + frame] = x[channel, start + frame]
        _saturate_row(memory, at, frames)
        lowpass = memory[at + LOWPASS]
        for frame in range(frames):
            lowpass += tone * (full_scale * memory[SUMS + frame] - lowpass)
            y[channel, start + frame] = (1.0 - mix) * line[dry + frame] + mix * lowpass
        memory[at + LOWPASS] = lowpass
        _forget(line, dry, frames)


@kernel
def _drive(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, _, memory, line, x, y = unpack(state, block_in, block_out, channels, frames)
    for ramp in range(RAMPS):
        ramp_retarget(memory, ramp * RAMP_SIZE, settings[ramp], settings[RAMP_FRAMES])
    start = 0
    while start < frames:
        row_frames = 1 if is_any_moving(memory, RAMPS) else min(ROW_FRAMES, frames - start)
        _process_row(memory, line, x, y, start, row_frames)
        start += row_frames


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
        channel = np.zeros(CHANNEL_SIZE)
        channel[LAST_ROOT] = 1.0
        rows = np.zeros(CHANNELS - len(ramps))
        memory = np.concatenate([ramps, rows, *([channel] * spec.channels)])
        return State(settings, memory=memory, samples=np.zeros(LINE * spec.channels, np.float32))
