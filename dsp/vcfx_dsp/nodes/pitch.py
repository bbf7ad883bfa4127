"""Pitch and formants of a voice, moved independently."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np

from ..core.f0 import f0_push, f0_state
from ..core.grain_mix import GRAIN_COUNTERS, GRAIN_MEMORY, GRAINS, SLOTS_AT, mix_grains
from ..core.grain_schedule import (
    FIXED_PERIOD,
    LAST_TIME,
    NEXT_EVENT,
    PLAN_TIME,
    PLANNED,
    RANGE,
    SCHEDULE_COUNTERS,
    SCHEDULE_MEMORY,
    SEMITONES,
    SPEED_NOW,
    USUAL_PERIOD,
    fence_off_onset,
    plan_next,
    planned_rise,
    start_planned,
    stretch_to_newest,
)
from ..core.kernel import compiled, kernel, unpack
from ..core.onsets import NO_ONSETS, ONSET_COUNTERS, ONSET_MEMORY, SLICE, SLICE_S, newest_onset, watch_onsets
from ..core.pitch_marks import (
    MARK_COUNTERS,
    MARK_MEMORY,
    NEWEST,
    PERIOD_AT,
    POSITION_AT,
    SPACING,
    UNVOICED_SPACING_S,
    mark_period,
    mark_position,
    mark_voiced,
    next_mark,
)
from ..core.ramp import FRAMES_LEFT, RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from ..core.sinc_reader import PHASE_TABLE_SIZE, phase_table, sinc_table
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

LATENCY_S: Final = 0.024
TAIL_S: Final = 0.080
LOWEST_HZ: Final = 55.0
HIGHEST_HZ: Final = 600.0
#: Input kept: the latency, the longest reach of a grain and the search around the oldest mark in use.
KEPT_S: Final = 0.110
ANALYSIS_KEPT_S: Final = 0.060
#: A voiced sound that is not shifted is heard at once. From 0.45 on, hiss begins to be taken for voice (measured).
LENIENCY: Final = 0.35
#: How long the running mean of the pitch remembers.
USUAL_S: Final = 2.0

SHIFT, FORMANT, TARGET_PERIOD, PITCH_RANGE, RAMP_FRAMES, LATENCY = range(6)
NOW, SPAN, F0_COUNTERS_AT, F0_MEMORY_AT, MARKS_HEARD, HEADER = range(6)

# Where things lie. In counters: header, schedule, marks, grains, onsets, tracker. In memory: ramps, schedule, marks,
# grains, onsets, one number per channel, tracker. In samples: tables, one doubled ring per channel.
SCHEDULE_AT: Final = HEADER
MARKS_AT: Final = SCHEDULE_AT + SCHEDULE_COUNTERS
GRAINS_AT: Final = MARKS_AT + MARK_COUNTERS
ONSETS_AT: Final = GRAINS_AT + GRAIN_COUNTERS
TRACKER_AT: Final = ONSETS_AT + ONSET_COUNTERS
SCHEDULE_MEMORY_AT: Final = 2 * RAMP_SIZE
MARKS_MEMORY_AT: Final = SCHEDULE_MEMORY_AT + SCHEDULE_MEMORY
GRAINS_MEMORY_AT: Final = MARKS_MEMORY_AT + MARK_MEMORY
ONSETS_MEMORY_AT: Final = GRAINS_MEMORY_AT + GRAIN_MEMORY
SUMS_AT: Final = ONSETS_MEMORY_AT + ONSET_MEMORY
TABLES_SIZE: Final = PHASE_TABLE_SIZE + sinc_table().size


@compiled
def _remember_pitch(counters: Any, schedule: Any, mark_counters: Any, marks: Any, sample_rate_seconds: float) -> None:
    """Let the usual period follow the voice: a mean of its logarithm over about two seconds of speech."""
    newest = mark_counters[NEWEST]
    if not mark_voiced(mark_counters, newest):
        return
    period = mark_period(marks, newest)
    counters[MARKS_HEARD] += 1
    share = max(1.0 / counters[MARKS_HEARD], min(period / sample_rate_seconds, 1.0))
    schedule[USUAL_PERIOD] *= (period / schedule[USUAL_PERIOD]) ** share


@compiled
def _mark_due(schedule: Any, marks: Any, newest: int, latency: float) -> float:
    """Return the output time at which the mark after the newest has to be decided: as late as its grain allows."""
    period = mark_period(marks, newest)
    early = max(1.0 / schedule[SPEED_NOW] - 1.0, 0.0) * period
    due: float = mark_position(marks, newest) - max(min(early, latency - 1.5 * period), 0.0)
    return due


@compiled
def _advance(counters: Any, memory: Any, settings: Any, now: int) -> None:
    """Decide marks and start grains that are due at input sample `now`, and note when the next will be."""
    schedule_counters, schedule = counters[SCHEDULE_AT:], memory[SCHEDULE_MEMORY_AT:]
    mark_counters, marks = counters[MARKS_AT:], memory[MARKS_MEMORY_AT:]
    grain_counters, grains = counters[GRAINS_AT:], memory[GRAINS_MEMORY_AT:]
    tracker, tracker_memory = counters[TRACKER_AT:], memory[counters[F0_MEMORY_AT] :]
    onsets = memory[ONSETS_MEMORY_AT:]
    latency = settings[LATENCY]
    time = now - int(latency)
    for _ in range(4):
        if time < _mark_due(schedule, marks, mark_counters[NEWEST], latency):
            break
        next_mark(tracker, tracker_memory, onsets, mark_counters, marks, now)
        _remember_pitch(counters, schedule, mark_counters, marks, USUAL_S * latency / LATENCY_S)
        stretch_to_newest(mark_counters, marks, grain_counters, grains)
        plan_next(schedule_counters, schedule, mark_counters, marks)
    for _ in range(4):
        if schedule_counters[PLANNED] == 0:
            break
        start = schedule[PLAN_TIME] - planned_rise(schedule_counters, schedule, mark_counters, marks)
        if time < start:
            break
        start_planned(schedule_counters, schedule, mark_counters, marks, onsets, grain_counters, grains, time)
        plan_next(schedule_counters, schedule, mark_counters, marks)
    schedule[NEXT_EVENT] = _mark_due(schedule, marks, mark_counters[NEWEST], latency)
    if schedule_counters[PLANNED] != 0:
        start = schedule[PLAN_TIME] - planned_rise(schedule_counters, schedule, mark_counters, marks)
        schedule[NEXT_EVENT] = min(schedule[NEXT_EVENT], start)


@kernel
def _pitch(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, samples, x, y = unpack(state, block_in, block_out, channels, frames)
    span = counters[SPAN]
    schedule = memory[SCHEDULE_MEMORY_AT:]
    tracker, tracker_memory = counters[TRACKER_AT:], memory[counters[F0_MEMORY_AT] :]
    grain_counters, grains = counters[GRAINS_AT:], memory[GRAINS_MEMORY_AT:]
    sums = memory[SUMS_AT : SUMS_AT + channels]
    rings = samples[TABLES_SIZE:]
    ramp_retarget(memory, 0, settings[SHIFT], settings[RAMP_FRAMES])
    ramp_retarget(memory, RAMP_SIZE, settings[FORMANT], settings[RAMP_FRAMES])
    schedule[FIXED_PERIOD], schedule[RANGE] = settings[TARGET_PERIOD], settings[PITCH_RANGE]
    for frame in range(frames):
        now = counters[NOW]
        time = now - int(settings[LATENCY])
        counters[NOW] = now + 1
        slot = now & (span - 1)
        mono = 0.0
        for channel in range(channels):
            value = x[channel, frame]
            rings[2 * span * channel + slot] = value
            rings[2 * span * channel + slot + span] = value
            mono += value
        mono /= channels
        f0_push(tracker, tracker_memory, mono)
        if watch_onsets(counters[ONSETS_AT:], memory[ONSETS_MEMORY_AT:], now, mono):
            onset = newest_onset(counters[ONSETS_AT:], memory[ONSETS_MEMORY_AT:])
            fence_off_onset(grain_counters, grains, onset, counters[MARKS_AT + SPACING])
        schedule[SEMITONES] = ramp_next(memory, 0)
        if memory[RAMP_SIZE + FRAMES_LEFT] > 0.0:
            schedule[SPEED_NOW] = 2.0 ** (ramp_next(memory, RAMP_SIZE) / 12.0)
            schedule[NEXT_EVENT] = time
        if time >= schedule[NEXT_EVENT]:
            _advance(counters, memory, settings, now)
        mix_grains(grain_counters, grains, time, rings, span, samples, sums)
        for channel in range(channels):
            y[channel, frame] = sums[channel]


class Pitch(KernelNode):
    """Shift pitch and formants of one voice, each by itself, with consonants left as they are.

    The signal is cut at every glottal period into grains of two periods. Grains that follow each other faster or
    slower change the pitch; grains that are read faster or slower move the formants.

    Parameters
    ----------
    shift_semitones
        -24 to 24: pitch; formants stay.
    formant_semitones
        -12 to 12: formants; pitch stays.
    pitch_mode
        ``follow`` the voice, or ``fixed``: every voiced sound at `target_hz` (times the shift).
    target_hz
        50 to 500: the pitch of mode ``fixed``.
    pitch_range_ratio
        0 to 3: melody around the speaker's mean pitch of the last seconds; 0 flattens it, 1 keeps it.

    Notes
    -----
    Latency: 24 ms. Channels share one schedule, found from their mean.

    After F. Charpentier and M. Stella, "Diphone synthesis using an overlap-add technique", 1986, and K. Lent, "An
    efficient method for pitch shifting digitally sampled sounds", 1989.
    """

    kind: ClassVar[str] = "pitch"
    PARAMETERS = (
        Parameter("shift_semitones", 0.0, -24.0, 24.0, doc="pitch change; formants stay"),
        Parameter("formant_semitones", 0.0, -12.0, 12.0, doc="formant change; pitch stays"),
        Parameter("pitch_mode", "follow", choices=("follow", "fixed"), doc="follow the voice or hold one pitch"),
        Parameter("target_hz", 120.0, 50.0, 500.0, doc="the pitch of mode fixed"),
        Parameter("pitch_range_ratio", 1.0, 0.0, 3.0, doc="melody: 0 flat, 1 as spoken, 2 doubled"),
    )
    kernel = _pitch

    @property
    def latency_samples(self) -> int:
        """24 ms, whatever the parameters."""
        return round(LATENCY_S * self.spec.sample_rate)

    @property
    def tail_samples(self) -> int:
        """Latency and the last grains."""
        return self.latency_samples + round(TAIL_S * self.spec.sample_rate)

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Semitones, target period in samples (0: follow), range, ramp and latency in samples."""
        values = self._parameters
        fixed = values["pitch_mode"] == "fixed"
        return [
            float(values["shift_semitones"]),
            float(values["formant_semitones"]),
            spec.sample_rate / float(values["target_hz"]) if fixed else 0.0,
            float(values["pitch_range_ratio"]),
            RAMP_MS * 1e-3 * spec.sample_rate,
            round(LATENCY_S * spec.sample_rate),
        ]

    def initial_state(self, spec: ProcessSpec) -> State:
        """A first unvoiced mark and its grain at the beginning of time, empty rings, a fresh tracker."""
        settings = self.settings(spec)
        tracker = f0_state(spec.sample_rate, LOWEST_HZ, HIGHEST_HZ, ANALYSIS_KEPT_S, LENIENCY)
        span = 1 << int(np.ceil(np.log2(KEPT_S * spec.sample_rate)))
        counters = np.zeros(TRACKER_AT + tracker.counters.size, np.int64)
        counters[SPAN], counters[F0_MEMORY_AT] = span, SUMS_AT + spec.channels
        counters[TRACKER_AT:] = tracker.counters
        memory = np.zeros(SUMS_AT + spec.channels + tracker.memory.size)
        memory[: 2 * RAMP_SIZE] = ramp_memory(settings[SHIFT]) + ramp_memory(settings[FORMANT])
        memory[SUMS_AT + spec.channels :] = tracker.memory
        self._first_mark(counters, memory, spec, settings)
        samples = np.zeros(TABLES_SIZE + 2 * span * spec.channels, np.float32)
        samples[:TABLES_SIZE] = np.concatenate([phase_table().ravel(), sinc_table()])
        return State(settings, counters, memory, samples)

    def _first_mark(self, counters: Any, memory: Any, spec: ProcessSpec, settings: list[float]) -> None:
        spacing = round(UNVOICED_SPACING_S * spec.sample_rate)
        start = -settings[LATENCY]
        counters[MARKS_AT + SPACING] = spacing
        counters[ONSETS_AT + SLICE] = max(round(SLICE_S * spec.sample_rate), 1)
        memory[ONSETS_MEMORY_AT : ONSETS_MEMORY_AT + ONSET_MEMORY] = NO_ONSETS
        memory[MARKS_MEMORY_AT + POSITION_AT] = start
        memory[MARKS_MEMORY_AT + PERIOD_AT] = spacing
        counters[GRAINS_AT + SLOTS_AT : GRAINS_AT + SLOTS_AT + GRAINS] = np.arange(GRAINS)
        schedule = memory[SCHEDULE_MEMORY_AT : SCHEDULE_MEMORY_AT + SCHEDULE_MEMORY]
        schedule[LAST_TIME], schedule[NEXT_EVENT] = start, start
        schedule[SPEED_NOW] = 2.0 ** (settings[FORMANT] / 12.0)
        schedule[USUAL_PERIOD] = spec.sample_rate / 150.0
