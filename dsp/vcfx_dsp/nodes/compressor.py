"""Feed-forward compressor."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..core.exponential import quick_exp, quick_log
from ..core.kernel import compiled, kernel, unpack
from ..core.ramp import RAMP_MS, RAMP_SIZE, is_any_moving, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

DB_PER_NEPER = 20.0 / math.log(10.0)
NEPERS_PER_DB = 1.0 / DB_PER_NEPER
FLOOR = 1e-7  # -140 dBFS, so that the logarithm of silence is a number
TINY = 1e-300  # so that a knee of no width divides nothing by a number
NEGLIGIBLE_DB = 1e-6  # below half a bit of float32
# settings, ramped: what each frame needs
THRESHOLD_DB, SLOPE, KNEE_DB, MAKEUP_DB, MIX = range(5)
RAMPS = 5
# settings, not ramped: the detector's smoothing does that
ATTACK, RELEASE, RAMP_FRAMES = range(RAMPS, RAMPS + 3)
# memory: the ramps, the detector, and a row in which a few frames are worked together
HELD_DB, REDUCTION_DB = range(RAMPS * RAMP_SIZE, RAMPS * RAMP_SIZE + 2)
ROW = REDUCTION_DB + 1
ROW_FRAMES = 64


@compiled
def _store_levels(memory: Any, x: Any, channels: int, start: int, frames: int) -> None:
    for frame in range(frames):
        memory[ROW + frame] = max(FLOOR, abs(x[0, start + frame]))
    for channel in range(1, channels):
        for frame in range(frames):
            memory[ROW + frame] = max(memory[ROW + frame], abs(x[channel, start + frame]))


@compiled
def _is_at_rest(memory: Any, frames: int, threshold_db: float, knee_db: float) -> bool:
    """Whether the levels in the row leave a resting detector at rest."""
    if memory[HELD_DB] > 0.0 or memory[REDUCTION_DB] > 0.0:
        return False
    surely_below = 0.999_999 * quick_exp((threshold_db - 0.5 * knee_db) * NEPERS_PER_DB)
    loud_frames = 0
    for frame in range(frames):
        loud_frames += 0 if memory[ROW + frame] < surely_below else 1
    return loud_frames == 0


@compiled
def _store_wanted(memory: Any, frames: int, threshold_db: float, slope: float, knee_db: float) -> None:
    """Replace levels by how far the curve lies below the diagonal (eq. 4 of the paper, as input minus output)."""
    knee_from_db = threshold_db - 0.5 * knee_db
    for frame in range(frames):
        into_knee_db = DB_PER_NEPER * quick_log(memory[ROW + frame]) - knee_from_db
        bend_db = min(max(into_knee_db, 0.0), knee_db)
        above_db = max(into_knee_db - knee_db, 0.0)
        memory[ROW + frame] = slope * (bend_db * bend_db / (2.0 * knee_db + TINY) + above_db)


@compiled
def _smooth(settings: Any, memory: Any, frames: int) -> None:
    """Replace wanted reductions by smoothed ones (eq. 17)."""
    attack, release = settings[ATTACK], settings[RELEASE]
    held_db, reduction_db = memory[HELD_DB], memory[REDUCTION_DB]
    for frame in range(frames):
        wanted_db = memory[ROW + frame]
        held_db = max(wanted_db, (1.0 - release) * wanted_db + release * held_db)
        reduction_db = (1.0 - attack) * held_db + attack * reduction_db
        if held_db < NEGLIGIBLE_DB and reduction_db < NEGLIGIBLE_DB:
            held_db, reduction_db = 0.0, 0.0
            memory[HELD_DB] = 0.0  # a store makes this a branch: a selection would delay every frame
        memory[ROW + frame] = reduction_db
    memory[HELD_DB], memory[REDUCTION_DB] = held_db, reduction_db


@compiled
def _process_row(settings: Any, memory: Any, x: Any, y: Any, channels: int, start: int, frames: int) -> None:
    threshold_db = ramp_next(memory, THRESHOLD_DB * RAMP_SIZE)
    slope = ramp_next(memory, SLOPE * RAMP_SIZE)
    knee_db = ramp_next(memory, KNEE_DB * RAMP_SIZE)
    makeup_db = ramp_next(memory, MAKEUP_DB * RAMP_SIZE)
    mix = ramp_next(memory, MIX * RAMP_SIZE)
    _store_levels(memory, x, channels, start, frames)
    if _is_at_rest(memory, frames, threshold_db, knee_db):
        factor = 1.0 - mix + mix * quick_exp(makeup_db * NEPERS_PER_DB)
        for channel in range(channels):
            for frame in range(frames):
                y[channel, start + frame] = x[channel, start + frame] * factor
        return
    _store_wanted(memory, frames, threshold_db, slope, knee_db)
    _smooth(settings, memory, frames)
    for frame in range(frames):
        gain = quick_exp((makeup_db - memory[ROW + frame]) * NEPERS_PER_DB)
        memory[ROW + frame] = 1.0 - mix + mix * gain
    for channel in range(channels):
        for frame in range(frames):
            y[channel, start + frame] = x[channel, start + frame] * memory[ROW + frame]


@kernel
def _compressor(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, _, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    for ramp in range(RAMPS):
        ramp_retarget(memory, ramp * RAMP_SIZE, settings[ramp], settings[RAMP_FRAMES])
    start = 0
    while start < frames:
        row_frames = 1 if is_any_moving(memory, RAMPS) else min(ROW_FRAMES, frames - start)
        _process_row(settings, memory, x, y, channels, start, row_frames)
        start += row_frames


class Compressor(KernelNode):
    """Reduce level differences above a threshold; all channels share one detector, the loudest sample.

    Parameters
    ----------
    threshold_db
        -60 to 0 dBFS of peak level.
    ratio
        1 to 20: dB in for one dB out above the threshold. At 1 without make-up the input's bits come out.
    knee_db
        0 to 24: width of the quadratic bend around the threshold.
    attack_ms
        0.1 to 200: the reduction in dB covers 63 % of a step upwards in this time.
    release_ms
        5 to 2000: time constant of the fall of the reduction, before the attack's smoothing.
    makeup_db
        -24 to 36: added to the compressed path.
    mix_ratio
        0 to 1: share of the compressed path; the rest is the dry signal (parallel compression).

    Notes
    -----
    Latency: 0. Smooth decoupled peak detector in the log domain: Giannoulis, Massberg, Reiss, "Digital dynamic
    range compressor design", J. Audio Eng. Soc. 60(6), 2012, eqs. 4 and 17.
    """

    kind: ClassVar[str] = "compressor"
    PARAMETERS = (
        Parameter("threshold_db", -20.0, -60.0, 0.0, doc="peak level above which it works"),
        Parameter("ratio", 3.0, 1.0, 20.0, doc="dB in for one dB out"),
        Parameter("knee_db", 6.0, 0.0, 24.0, doc="width of the bend"),
        Parameter("attack_ms", 5.0, 0.1, 200.0, doc="time constant downwards"),
        Parameter("release_ms", 120.0, 5.0, 2_000.0, doc="time constant upwards"),
        Parameter("makeup_db", 0.0, -24.0, 36.0, doc="gain of the compressed path"),
        Parameter("mix_ratio", 1.0, 0.0, 1.0, doc="share of the compressed path"),
    )
    kernel = _compressor

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Curve, make-up and mix; one-pole coefficients; the ramp's length in frames."""
        value = {name: float(given) for name, given in self._parameters.items()}
        frames_per_ms = spec.sample_rate * 1e-3
        return [
            value["threshold_db"],
            1.0 - 1.0 / value["ratio"],
            value["knee_db"],
            value["makeup_db"],
            value["mix_ratio"],
            math.exp(-1.0 / (value["attack_ms"] * frames_per_ms)),
            math.exp(-1.0 / (value["release_ms"] * frames_per_ms)),
            RAMP_MS * frames_per_ms,
        ]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Ramps at rest, no reduction."""
        settings = self.settings(spec)
        ramps = [number for value in settings[:RAMPS] for number in ramp_memory(value)]
        return State(settings, memory=[*ramps, *[0.0] * (ROW + ROW_FRAMES - HELD_DB)])
