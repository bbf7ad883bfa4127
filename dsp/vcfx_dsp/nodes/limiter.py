"""True-peak limiter with look-ahead."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..core.kernel import compiled, kernel, unpack
from ..core.ramp import RAMP_MS, RAMP_SIZE, TARGET, is_any_moving, ramp_memory, ramp_next, ramp_retarget
from ..core.running_minimum import latest_minimum, running_minimum, running_minimum_memory, running_minimum_size
from ..core.true_peak import ROW_FRAMES, TAPS, TAPS_PER_SIDE, TRACKER_SIZE, forget_peaks, largest_rise, raise_to_peaks
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

#: Gains are sums of whole numbers, so that a running mean never drifts and the mean of ones is one.
ONE = 1 << 40
FULLY_RELEASED = 1.0 - 2.0**-26
SHORTEST_SMOOTHING = 8
LOUDEST_FINITE = 1e30
RISE = 1.000_001 * largest_rise()  # whatever rounding adds
CEILING, RELEASE, RAMP_FRAMES = range(3)
# counters: geometry, then positions and running sums, then the rings
DELAY, HISTORY, LINE, WINDOW, FIRST_BOX, SECOND_BOX = range(6)
END, HOT_LEFT, FIRST_AT, FIRST_SUM, SECOND_AT, SECOND_SUM, RINGS = range(6, 13)
# memory: the ceiling's ramp, then a row in which peaks become gains, the running minimum, each channel's tracker
ENVELOPE = RAMP_SIZE
ROW = ENVELOPE + 1
MINIMUM = ROW + ROW_FRAMES


@compiled
def _follow(settings: Any, memory: Any, frames: int) -> None:
    """Replace the lowest gains allowed by an envelope that falls with them at once and rises slowly."""
    release, envelope = settings[RELEASE], memory[ENVELOPE]
    for frame in range(ROW, ROW + frames):
        lowest = memory[frame]
        envelope = min(lowest, (1.0 - release) * envelope + release)
        if lowest == 1.0 and envelope > FULLY_RELEASED:
            envelope = 1.0
            memory[ENVELOPE] = envelope  # a store makes this a branch: a selection would delay every frame
        memory[frame] = envelope
    memory[ENVELOPE] = envelope


@compiled
def _average(counters: Any, memory: Any, frames: int) -> None:
    """Replace the envelope by the running mean of its running mean."""
    first, second = counters[FIRST_BOX], counters[SECOND_BOX]
    first_ring, second_ring = RINGS, RINGS + first
    first_at, first_sum = counters[FIRST_AT], counters[FIRST_SUM]
    second_at, second_sum = counters[SECOND_AT], counters[SECOND_SUM]
    full = np.float64(first * second) * ONE
    for frame in range(ROW, ROW + frames):
        value = int(memory[frame] * ONE)
        first_sum += value - counters[first_ring + first_at]
        counters[first_ring + first_at] = value
        first_at = first_at + 1 if first_at + 1 < first else 0
        second_sum += first_sum - counters[second_ring + second_at]
        counters[second_ring + second_at] = first_sum
        second_at = second_at + 1 if second_at + 1 < second else 0
        memory[frame] = np.float64(second_sum) / full
    counters[FIRST_AT], counters[FIRST_SUM] = first_at, first_sum
    counters[SECOND_AT], counters[SECOND_SUM] = second_at, second_sum


@compiled
def _turn_peaks_into_gains(settings: Any, counters: Any, memory: Any, frames: int, ceiling: float) -> None:
    for frame in range(ROW, ROW + frames):
        allowed = ceiling / max(memory[frame], ceiling)
        memory[frame] = float(int(allowed * ONE)) * (1.0 / ONE)
    running_minimum(memory, MINIMUM, counters[WINDOW], ROW, frames)
    _follow(settings, memory, frames)
    _average(counters, memory, frames)


@compiled
def _rests(counters: Any, memory: Any) -> bool:
    """Whether every number behind the gain is one, so that it stays one as long as nothing is too loud."""
    first, second = counters[FIRST_BOX], counters[SECOND_BOX]
    is_open = latest_minimum(memory, MINIMUM) == 1.0 and memory[ENVELOPE] == 1.0
    return is_open and counters[FIRST_SUM] == first * ONE and counters[SECOND_SUM] == first * second * ONE


@compiled
def _make_room(counters: Any, samples: Any, channels: int, frames: int) -> None:
    """Move what is still needed of each channel's line to its front when `frames` more would not fit."""
    end, history, line = counters[END], counters[HISTORY], counters[LINE]
    if end + frames <= line:
        return
    for channel in range(channels):
        target = channel * line
        source = target + end - history
        for sample in range(history):
            samples[target + sample] = samples[source + sample]
    counters[END] = history


@compiled
def _take_in(counters: Any, samples: Any, x: Any, channel: int, start: int, frames: int, loud: float) -> int:
    """Append frames to a channel's line; returns how many at their end are not above `loud`."""
    end = channel * counters[LINE] + counters[END]
    for frame in range(frames):
        sample = x[channel, start + frame]
        samples[end + frame] = sample if abs(sample) < LOUDEST_FINITE else np.float32(0.0)
    soft = 0
    while soft < frames and abs(samples[end + frames - 1 - soft]) <= loud:
        soft += 1
    return soft


@compiled
def _take_all_in(settings: Any, counters: Any, samples: Any, x: Any, start: int, frames: int, ceiling: float) -> bool:
    """Append frames to every line; returns whether one of them may peak above the ceiling."""
    channels = x.shape[0]
    _make_room(counters, samples, channels, frames)
    loud = min(ceiling, settings[CEILING]) / RISE
    soft = frames
    for channel in range(channels):
        soft = min(soft, _take_in(counters, samples, x, channel, start, frames, loud))
    was_hot = counters[HOT_LEFT] > 0
    counters[HOT_LEFT] = TAPS - soft if soft < frames else max(counters[HOT_LEFT] - frames, 0)
    return was_hot or soft < frames


@compiled
def _store_peaks(counters: Any, memory: Any, samples: Any, channels: int, frames: int, is_hot: bool) -> None:
    """Fill the row with the highest peak of all channels; where none can be above the ceiling, with silence."""
    for frame in range(frames):
        memory[ROW + frame] = 0.0
    for channel in range(channels):
        tracker = MINIMUM + running_minimum_size(counters[WINDOW]) + TRACKER_SIZE * channel
        if is_hot:
            window = channel * counters[LINE] + counters[END] - TAPS + 1
            raise_to_peaks(samples, window, frames, memory, tracker, ROW)
        else:
            forget_peaks(memory, tracker)


@compiled
def _process_row(
    settings: Any, counters: Any, memory: Any, samples: Any, x: Any, y: Any, start: int, frames: int
) -> None:
    channels, ceiling = x.shape[0], ramp_next(memory, 0)
    is_hot = _take_all_in(settings, counters, samples, x, start, frames, ceiling)
    _store_peaks(counters, memory, samples, channels, frames, is_hot)
    if is_hot or not _rests(counters, memory):
        _turn_peaks_into_gains(settings, counters, memory, frames, ceiling)
    else:
        for frame in range(frames):
            memory[ROW + frame] = 1.0
    for channel in range(channels):
        leaving = channel * counters[LINE] + counters[END] - counters[DELAY]
        for frame in range(frames):
            y[channel, start + frame] = samples[leaving + frame] * memory[ROW + frame]
    counters[END] += frames


@kernel
def _limiter(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, samples, x, y = unpack(state, block_in, block_out, channels, frames)
    if settings[CEILING] < memory[TARGET]:
        counters[HOT_LEFT] = TAPS + 1  # what the former ceiling let pass unexamined
    ramp_retarget(memory, 0, settings[CEILING], settings[RAMP_FRAMES])
    start = 0
    while start < frames:
        row_frames = 1 if is_any_moving(memory, 1) else min(ROW_FRAMES, frames - start)
        _process_row(settings, counters, memory, samples, x, y, start, row_frames)
        start += row_frames


class Limiter(KernelNode):
    """Hold the true peak at a ceiling; all channels share one gain.

    Parameters
    ----------
    ceiling_db
        -40 to 0 dBTP. A signal whose true peak stays below it comes out with its bits unchanged, delayed.
    release_ms
        1 to 1000: the gain, once let go, covers 63 % of the way back to one in this time.
    lookahead_ms
        0.5 to 10: the gain moves down within this time, as two running means in a row; not live. Latency: as long,
        but at least 21 samples.

    Notes
    -----
    No sample exceeds the ceiling. Between samples a signal without content above 0.45 of the sample rate exceeds it
    by at most 0.05 dB; noise up to half the rate by at most 0.5 dB on a meter with four-fold oversampling; see
    `vcfx_dsp.core.true_peak` for the interpolator. While the ceiling moves, what leaves obeys the ceiling of one
    latency ago. Samples that are not finite are taken as silence.
    """

    kind: ClassVar[str] = "limiter"
    PARAMETERS = (
        Parameter("ceiling_db", -1.0, -40.0, 0.0, doc="true peak that is not exceeded"),
        Parameter("release_ms", 60.0, 1.0, 1_000.0, doc="time constant of the gain's return"),
        Parameter("lookahead_ms", 1.5, 0.5, 10.0, live=False, doc="time in which the gain moves down; the latency"),
    )
    kernel = _limiter

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Ceiling rounded down to a float32, release per frame, ramp length in frames."""
        ceiling_db, release_ms, _ = (float(value) for value in self._parameters.values())
        exact = 10.0 ** (ceiling_db / 20.0)
        ceiling = np.float32(exact)
        if ceiling > exact:
            ceiling = np.nextafter(ceiling, np.float32(0.0))
        frames_per_ms = spec.sample_rate * 1e-3
        return [float(ceiling), -math.expm1(-1.0 / (release_ms * frames_per_ms)), RAMP_MS * frames_per_ms]

    def initial_state(self, spec: ProcessSpec) -> State:
        """A gain of one and an empty delay line."""
        delay = self._delay(spec)
        smoothing = delay - TAPS_PER_SIDE - 1  # one sample before and after each peak share its gain
        first, second = smoothing // 2 + 1, smoothing - smoothing // 2 + 1
        window, history = smoothing + 3, max(delay, TAPS)
        line = 2 * history + 4 * ROW_FRAMES
        geometry = [delay, history, line, window, first, second]
        positions = [history, 0, 0, first * ONE, 0, first * second * ONE]
        counters = [*geometry, *positions, *[ONE] * first, *[first * ONE] * second]
        settings = self.settings(spec)
        row, trackers = [0.0] * ROW_FRAMES, [0.0] * (TRACKER_SIZE * spec.channels)
        memory = [*ramp_memory(settings[CEILING]), 1.0, *row, *running_minimum_memory(window, 1.0), *trackers]
        return State(settings, counters, memory, np.zeros(line * spec.channels, np.float32))

    def _delay(self, spec: ProcessSpec) -> int:
        wanted = round(float(self._parameters["lookahead_ms"]) * 1e-3 * spec.sample_rate)
        return max(wanted, TAPS_PER_SIDE + 1 + SHORTEST_SMOOTHING)

    @property
    def latency_samples(self) -> int:
        """The look-ahead: half the interpolator, one sample, and the smoothing."""
        return self._delay(self.spec)
