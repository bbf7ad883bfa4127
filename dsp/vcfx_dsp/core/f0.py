"""Streaming fundamental frequency: correlation candidates per hop, joined by dynamic programming.

The scheme is that of D. Talkin, "A robust algorithm for pitch tracking (RAPT)", 1995, with the correlation window
anchored at the newest sample: short periods are known early, long ones when they have been heard. What is an octave
off the speaker's usual pitch needs better evidence (`usual_pitch`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..state import State
from .decimator import (
    decimation,
    decimator_delay_samples,
    decimator_taps,
    filtered_at,
    store_twice,
    window_start,
)
from .kernel import compiled
from .nccf import correlate_with_past, pick_candidates
from .usual_pitch import USUAL_SIZE, lower_unusual, remember_usual

HOP_S: Final = 0.005
WINDOW_S: Final = 0.0175
FLOOR_RMS: Final = 3e-4  # about -70 dBFS: what is quieter cannot be voiced
NOISE_CEILING_RMS: Final = 6e-3  # the background is never taken for louder than -44 dBFS
NOISE_RISE: Final = 1.006  # power per hop, 5 dB a second: slower than speech pauses
NOISE_WEIGHT: Final = 4.0  # background power counts as this much that does not correlate
HIGH_PASS_HZ: Final = 40.0
CANDIDATES: Final = 8
#: Frames that a path may be traced back.
HISTORY: Final = 8
PATHS: Final = CANDIDATES + 1  # the last one is "unvoiced"

# Costs of the path, found by search on speech of 27 speakers against other trackers; per hop of 5 ms.
LAG_WEIGHT: Final = 0.35  # at the longest lag
JUMP_COST: Final = 0.6  # per unit of |ln(ratio)|
OCTAVE_COST: Final = 0.45
ONSET_COST: Final = 0.5
OFFSET_COST: Final = 0.45

(
    FACTOR, TAPS, HOP, WINDOW, SHORTEST, LONGEST, RING, TAPS_AT, INPUT_AT, RING_AT, NCCF_AT, COST_AT, LAG_AT, SCORE_AT,
    HEIGHT_AT, PATH_AT, STRENGTH_AT, HELD, TAKEN, DECIMATED, FRAMES, FIRST, FOUND_AT, BACK_AT,
) = range(24)  # fmt: skip
LAST_IN, LAST_OUT, HIGH_PASS, NOISE, LENIENCY, USUAL_AT = range(6)


def f0_state(
    sample_rate: float, lowest_hz: float, highest_hz: float, history_s: float = 0.0, leniency: float = 0.0
) -> State:
    """Return the counters and the memory of one tracker that keeps at least `history_s` of the analysis signal.

    `leniency` is a correlation by which voiced is preferred to unvoiced: 0 where gross errors count, more where a
    missed piece of voice is worse than a wrong one.
    """
    factor = decimation(sample_rate)
    rate = sample_rate / factor
    taps = decimator_taps(factor)
    window = round(WINDOW_S * rate)
    highest, longest = max(2, int(rate / highest_hz) - 1), int(np.ceil(rate / lowest_hz)) + 1
    shortest = max(1, highest // 2)  # half a period of the highest voice: there a voice correlates least
    ring = max(window + longest, round(history_s * rate))
    sizes = {
        TAPS_AT: taps.size, INPUT_AT: 2 * taps.size, RING_AT: 2 * ring, NCCF_AT: longest - shortest + 1,
        COST_AT: 2 * PATHS, LAG_AT: HISTORY * PATHS, SCORE_AT: PATHS, HEIGHT_AT: HISTORY * PATHS,
        PATH_AT: HISTORY, STRENGTH_AT: HISTORY,
    }  # fmt: skip
    counters = np.zeros(BACK_AT + 1 + HISTORY * PATHS + HISTORY, np.int64)
    at = USUAL_AT + USUAL_SIZE
    for name, size in sizes.items():
        counters[name] = at
        at += size
    memory = np.zeros(at)
    for name, value in (
        (FACTOR, factor), (TAPS, taps.size), (HOP, round(HOP_S * rate)), (WINDOW, window), (SHORTEST, shortest),
        (LONGEST, longest), (RING, ring), (FIRST, highest - shortest), (FOUND_AT, BACK_AT + 1),
        (BACK_AT, BACK_AT + 1 + HISTORY),
    ):  # fmt: skip
        counters[name] = value
    memory[counters[TAPS_AT] : counters[TAPS_AT] + taps.size] = taps
    memory[HIGH_PASS] = np.exp(-2 * np.pi * HIGH_PASS_HZ / rate)
    memory[NOISE], memory[LENIENCY] = FLOOR_RMS**2, leniency
    return State((), counters, memory)


def hop_samples(sample_rate: float) -> int:
    """Return the distance between two frames in input samples."""
    factor = decimation(sample_rate)
    return round(HOP_S * sample_rate / factor) * factor


def filter_delay_samples(sample_rate: float) -> int:
    """Return how far the analysis signal lags behind the input."""
    return decimator_delay_samples(decimation(sample_rate))


@compiled
def f0_push(counters: Any, memory: Any, sample: float) -> bool:
    """Take one mono sample at the full rate; return whether a frame was finished by it."""
    taps = counters[TAPS]
    ring = memory[counters[INPUT_AT] :]
    store_twice(ring, taps, counters[TAKEN], sample)
    counters[TAKEN] = counters[TAKEN] + 1 if counters[TAKEN] + 1 < taps else 0
    counters[HELD] += 1
    if counters[HELD] < counters[FACTOR]:
        return False
    counters[HELD] = 0
    low = filtered_at(ring, memory[counters[TAPS_AT] :], taps, counters[TAKEN])
    high = low - memory[LAST_IN] + memory[HIGH_PASS] * memory[LAST_OUT]
    memory[LAST_IN], memory[LAST_OUT] = low, high
    store_twice(memory[counters[RING_AT] :], counters[RING], counters[DECIMATED], high)
    counters[DECIMATED] += 1
    if counters[DECIMATED] % counters[HOP] != 0:
        return False
    _frame(counters, memory)
    return True


@compiled
def _frame(counters: Any, memory: Any) -> None:
    shortest, longest, window = counters[SHORTEST], counters[LONGEST], counters[WINDOW]
    ring = memory[counters[RING_AT] :]
    start = window_start(counters[RING], counters[DECIMATED], longest + window)
    nccf = memory[counters[NCCF_AT] :]
    power = 0.0
    for index in range(start + longest, start + longest + window):
        power += ring[index] * ring[index]
    noise = min(max(power / window, FLOOR_RMS * FLOOR_RMS), memory[NOISE] * NOISE_RISE)
    memory[NOISE] = min(noise, NOISE_CEILING_RMS * NOISE_CEILING_RMS)
    correlate_with_past(ring, start, window, shortest, longest, NOISE_WEIGHT * window * memory[NOISE], nccf)
    slot = counters[FRAMES] % HISTORY
    lags = memory[counters[LAG_AT] + slot * PATHS :]
    heights = memory[counters[HEIGHT_AT] + slot * PATHS :]
    scores = memory[counters[SCORE_AT] :]
    found = pick_candidates(
        nccf, longest - shortest + 1, shortest, counters[FIRST], LAG_WEIGHT / longest, lags, scores, heights, CANDIDATES
    )
    lower_unusual(memory[USUAL_AT:], lags, scores, found)
    _extend_paths(counters, memory, found)
    counters[counters[FOUND_AT] + slot] = found
    counters[FRAMES] += 1
    _trace_back(counters, memory)
    remember_usual(memory[USUAL_AT:], memory[counters[PATH_AT] + 1], memory[counters[STRENGTH_AT] + 1])


@compiled
def _step_cost(lag_from: float, lag_to: float) -> float:
    distance = abs(np.log(lag_to / lag_from))
    octave = OCTAVE_COST + JUMP_COST * abs(distance - 0.6931471805599453)
    cost: float = min(JUMP_COST * distance, octave)
    return cost


@compiled
def _extend_paths(counters: Any, memory: Any, found: int) -> None:
    frame = counters[FRAMES]
    slot, last = frame % HISTORY, (frame - 1) % HISTORY
    before = memory[counters[COST_AT] + ((frame - 1) & 1) * PATHS :]
    now = memory[counters[COST_AT] + (frame & 1) * PATHS :]
    lags = memory[counters[LAG_AT] + slot * PATHS :]
    heights = memory[counters[HEIGHT_AT] + slot * PATHS :]
    old_lags = memory[counters[LAG_AT] + last * PATHS :]
    scores = memory[counters[SCORE_AT] :]
    back = counters[counters[BACK_AT] + slot * PATHS :]
    found_before = counters[counters[FOUND_AT] + last]
    strongest = 0.0
    for path in range(found):
        strongest = max(strongest, heights[path])
    least = 1e300
    for path in range(found + 1):
        to = path if path < found else CANDIDATES
        best, origin = before[CANDIDATES], CANDIDATES
        if to != CANDIDATES:
            best += ONSET_COST
        for old in range(found_before):
            step = OFFSET_COST if to == CANDIDATES else _step_cost(old_lags[old], lags[to])
            if before[old] + step < best:
                best, origin = before[old] + step, old
        local = strongest + memory[LENIENCY] if to == CANDIDATES else 1.0 - scores[to]
        now[to] = best + local
        back[to] = origin
        least = min(least, now[to])
    for path in range(PATHS):
        now[path] -= least
    heights[CANDIDATES] = strongest


@compiled
def _trace_back(counters: Any, memory: Any) -> None:
    """Write the cheapest path's periods (0: unvoiced) and strengths, newest first."""
    frame = counters[FRAMES] - 1
    now = memory[counters[COST_AT] + (frame & 1) * PATHS :]
    path = CANDIDATES
    for other in range(counters[counters[FOUND_AT] + frame % HISTORY]):
        if now[other] < now[path]:
            path = other
    for step in range(min(HISTORY, frame + 1)):
        slot = (frame - step) % HISTORY
        voiced = path != CANDIDATES
        memory[counters[PATH_AT] + step] = memory[counters[LAG_AT] + slot * PATHS + path] if voiced else 0.0
        memory[counters[STRENGTH_AT] + step] = memory[counters[HEIGHT_AT] + slot * PATHS + path]
        path = counters[counters[BACK_AT] + slot * PATHS + path]


@compiled
def traced_period(counters: Any, memory: Any, hops_ago: int) -> float:
    """Return the period of a frame in input samples, 0 where unvoiced; ``hops_ago`` 0 to HISTORY - 1."""
    period: float = memory[counters[PATH_AT] + hops_ago] * counters[FACTOR]
    return period


@compiled
def traced_strength(counters: Any, memory: Any, hops_ago: int) -> float:
    """Return the correlation, 0 to 1, behind that frame's decision."""
    strength: float = memory[counters[STRENGTH_AT] + hops_ago]
    return strength
