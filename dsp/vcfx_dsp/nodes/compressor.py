"""Feed-forward compressor."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..core.kernel import compiled, kernel, unpack
from ..core.ramp import RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

DB_PER_NEPER = 20.0 / math.log(10.0)
FLOOR = 1e-7  # -140 dBFS, so that the logarithm of silence is a number
NEGLIGIBLE_DB = 1e-6  # below half a bit of float32
# settings, ramped: what each frame needs
THRESHOLD_DB, SLOPE, KNEE_DB, MAKEUP_DB, MIX = range(5)
RAMPS = 5
# settings, not ramped: the detector's smoothing does that
ATTACK, RELEASE, RAMP_FRAMES = range(RAMPS, RAMPS + 3)
# memory: the ramps, then
HELD_DB, REDUCTION_DB, GAIN, GAIN_DB = range(RAMPS * RAMP_SIZE, RAMPS * RAMP_SIZE + 4)


@compiled
def _static_reduction_db(level_db: float, threshold_db: float, slope: float, knee_db: float) -> float:
    """Return how far the curve lies below the diagonal (eq. 4 of the paper, as input minus output)."""
    excess_db = level_db - threshold_db
    if 2.0 * excess_db <= -knee_db:
        return 0.0
    if 2.0 * excess_db < knee_db:
        return slope * (excess_db + 0.5 * knee_db) ** 2 / (2.0 * knee_db)
    return slope * excess_db


@compiled
def _next_factor(settings: Any, memory: Any, level: float) -> float:
    """Advance by one frame whose loudest channel is at `level`; returns what to multiply with."""
    threshold_db = ramp_next(memory, THRESHOLD_DB * RAMP_SIZE)
    slope = ramp_next(memory, SLOPE * RAMP_SIZE)
    knee_db = ramp_next(memory, KNEE_DB * RAMP_SIZE)
    makeup_db = ramp_next(memory, MAKEUP_DB * RAMP_SIZE)
    mix = ramp_next(memory, MIX * RAMP_SIZE)
    level_db = DB_PER_NEPER * math.log(max(level, FLOOR))
    wanted_db = _static_reduction_db(level_db, threshold_db, slope, knee_db)
    held_db = memory[HELD_DB]
    held_db = max(wanted_db, wanted_db + settings[RELEASE] * (held_db - wanted_db))
    reduction_db = held_db + settings[ATTACK] * (memory[REDUCTION_DB] - held_db)
    if held_db < NEGLIGIBLE_DB and reduction_db < NEGLIGIBLE_DB:
        held_db, reduction_db = 0.0, 0.0
    memory[HELD_DB], memory[REDUCTION_DB] = held_db, reduction_db
    gain_db = makeup_db - reduction_db
    if gain_db != memory[GAIN_DB]:
        memory[GAIN_DB], memory[GAIN] = gain_db, math.exp(gain_db / DB_PER_NEPER)
    factor: float = 1.0 - mix + mix * memory[GAIN]
    return factor


@kernel
def _compressor(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, _, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    for ramp in range(RAMPS):
        ramp_retarget(memory, ramp * RAMP_SIZE, settings[ramp], settings[RAMP_FRAMES])
    for frame in range(frames):
        level = 0.0
        for channel in range(channels):
            level = max(level, abs(x[channel, frame]))
        factor = _next_factor(settings, memory, level)
        for channel in range(channels):
            y[channel, frame] = x[channel, frame] * factor


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
        makeup_db = settings[MAKEUP_DB]
        return State(settings, memory=[*ramps, 0.0, 0.0, math.exp(makeup_db / DB_PER_NEPER), makeup_db])
