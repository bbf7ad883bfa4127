"""True-peak limiter with look-ahead."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..core.kernel import compiled, kernel, unpack
from ..core.ramp import RAMP_MS, RAMP_SIZE, TARGET, ramp_memory, ramp_next, ramp_retarget
from ..core.true_peak import TAPS, TAPS_PER_SIDE, TRACKED, interpolator_taps, largest_rise, next_peak
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

#: Gains are sums of whole numbers, so that a running mean never drifts and the mean of ones is one.
ONE = 1 << 40
FULLY_RELEASED = 1.0 - 2.0**-26
SHORTEST_SMOOTHING = 8
LOUDEST_FINITE = 1e30
RISE = largest_rise()
CEILING, RELEASE, RAMP_FRAMES = range(3)
# counters: geometry, then positions and running sums, then the rings
DELAY, RING, WINDOW, FIRST_BOX, SECOND_BOX = range(5)
POSITION, HOT_LEFT, TIME, OLDEST, HELD, FIRST_AT, FIRST_SUM, SECOND_AT, SECOND_SUM, RINGS = range(5, 15)
# memory: the ceiling's ramp, then
ENVELOPE, TAP_TABLE = RAMP_SIZE, RAMP_SIZE + 1
TRACKERS = TAP_TABLE + 3 * TAPS


@compiled
def _windowed_minimum(counters: Any, value: int) -> int:
    """Return the smallest of the last ``WINDOW`` values, kept as an ascending queue of (value, time)."""
    size, oldest, held = counters[WINDOW], counters[OLDEST], counters[HELD]
    time = counters[TIME]
    while held > 0 and counters[RINGS + (oldest + held - 1) % size] >= value:
        held -= 1
    if held > 0 and counters[RINGS + size + oldest] <= time - size:
        oldest = (oldest + 1) % size
        held -= 1
    at = RINGS + (oldest + held) % size
    counters[at], counters[at + size] = value, time
    counters[OLDEST], counters[HELD], counters[TIME] = oldest, held + 1, time + 1
    smallest: int = counters[RINGS + oldest]
    return smallest


@compiled
def _running_sum(counters: Any, ring: int, size: int, at: int, total: int, value: int) -> int:
    """Return the sum of the last `size` values; their ring starts at `ring`, its position is ``counters[at]``."""
    position = counters[at]
    counters[total] += value - counters[ring + position]
    counters[ring + position] = value
    counters[at] = position + 1 if position + 1 < size else 0
    result: int = counters[total]
    return result


@compiled
def _smoothed(settings: Any, counters: Any, memory: Any, allowed: float) -> float:
    """Return the gain for the sample that leaves now, when the newest examined sample allows `allowed`."""
    lowest = _windowed_minimum(counters, int(allowed * ONE)) / ONE
    envelope = memory[ENVELOPE]
    envelope = min(lowest, envelope + settings[RELEASE] * (1.0 - envelope))
    if lowest == 1.0 and envelope > FULLY_RELEASED:
        envelope = 1.0
    memory[ENVELOPE] = envelope
    first_ring = RINGS + 2 * counters[WINDOW]
    first, second = counters[FIRST_BOX], counters[SECOND_BOX]
    total = _running_sum(counters, first_ring, first, FIRST_AT, FIRST_SUM, int(envelope * ONE))
    total = _running_sum(counters, first_ring + first, second, SECOND_AT, SECOND_SUM, total)
    return np.float64(total) / (np.float64(first * second) * ONE)


@compiled
def _take_in(counters: Any, memory: Any, samples: Any, x: Any, channels: int, frame: int, ceiling: float) -> float:
    """Store a frame twice, so that every window is contiguous; returns the peak that leaves the interpolator."""
    ring, position = counters[RING], counters[POSITION]
    newest = 0.0
    for channel in range(channels):
        sample = x[channel, frame]
        if not abs(sample) < LOUDEST_FINITE:
            sample = np.float32(0.0)
        at = 2 * ring * channel + position
        samples[at], samples[at + ring] = sample, sample
        newest = max(newest, abs(sample))
    if newest * RISE > ceiling:
        counters[HOT_LEFT] = TAPS + 1
    if counters[HOT_LEFT] <= 0:
        return 0.0
    counters[HOT_LEFT] -= 1
    peak = 0.0
    for channel in range(channels):
        start = 2 * ring * channel + position + ring - TAPS + 1
        tracker = TRACKERS + TRACKED * channel
        peak = max(peak, next_peak(samples, start, memory, TAP_TABLE, memory, tracker))
        if counters[HOT_LEFT] == 0:
            memory[tracker], memory[tracker + 1] = 0.0, 0.0
    return peak


@kernel
def _limiter(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, samples, x, y = unpack(state, block_in, block_out, channels, frames)
    if settings[CEILING] < memory[TARGET]:
        counters[HOT_LEFT] = TAPS + 1  # what the former ceiling let pass unexamined
    ramp_retarget(memory, 0, settings[CEILING], settings[RAMP_FRAMES])
    ring, delay = counters[RING], counters[DELAY]
    for frame in range(frames):
        ceiling = ramp_next(memory, 0)
        lowest_ceiling = min(ceiling, settings[CEILING])
        peak = _take_in(counters, memory, samples, x, channels, frame, lowest_ceiling)
        allowed = ceiling / peak if peak > ceiling else 1.0
        gain = _smoothed(settings, counters, memory, allowed)
        position = counters[POSITION]
        for channel in range(channels):
            y[channel, frame] = samples[2 * ring * channel + position + ring - delay] * gain
        counters[POSITION] = position + 1 if position + 1 < ring else 0


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
        window, ring = smoothing + 3, max(delay + 1, TAPS)
        geometry = [delay, ring, window, first, second]
        positions = [0, 0, 0, 0, 0, 0, first * ONE, 0, first * second * ONE]
        counters = [*geometry, *positions, *[0] * (2 * window), *[ONE] * first, *[first * ONE] * second]
        settings = self.settings(spec)
        taps = interpolator_taps().ravel()
        memory = [*ramp_memory(settings[CEILING]), 1.0, *taps, *[0.0] * (TRACKED * spec.channels)]
        return State(settings, counters, memory, np.zeros(2 * ring * spec.channels, np.float32))

    def _delay(self, spec: ProcessSpec) -> int:
        wanted = round(float(self._parameters["lookahead_ms"]) * 1e-3 * spec.sample_rate)
        return max(wanted, TAPS_PER_SIDE + 1 + SHORTEST_SMOOTHING)

    @property
    def latency_samples(self) -> int:
        """The look-ahead: half the interpolator, one sample, and the smoothing."""
        return self._delay(self.spec)
