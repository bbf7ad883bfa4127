"""De-esser: a high shelf that dips while sibilants sound."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..core.kernel import compiled, kernel, unpack
from ..core.ramp import RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from ..core.svf import prewarped, svf_coefficients, svf_step, svf_tail_frames
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

DAMPING = 2.0**0.5  # 1 / Q of detector and shelf
SIBILANT_RATIO = 0.1  # of powers: sibilants have more than this share above the frequency, vowels far less
POWER_MS, ATTACK_MS, RELEASE_MS = 5.0, 1.0, 40.0
NEGLIGIBLE_DB = 1e-6  # below half a bit of float32
DB_PER_NEPER_OF_POWER = 10.0 / math.log(10.0)
# settings, ramped
G, THRESHOLD_POWER, SLOPE, MAX_REDUCTION_DB = range(4)
RAMPS = 4
# settings, not ramped
POWER_DECAY, ATTACK, RELEASE, RAMP_FRAMES = range(RAMPS, RAMPS + 4)
# memory: the ramps, then
HIGH_POWER, LOW_POWER, REDUCTION_DB, ROOT, ROOT_DB, STATES = range(RAMPS * RAMP_SIZE, RAMPS * RAMP_SIZE + 6)
STATES_PER_CHANNEL = 4


@compiled
def _follow_bands(memory: Any, x: Any, channels: int, frame: int, g: float, decay: float) -> None:
    """Split the frame at the frequency and update the loudest channel's power above and below it."""
    a1 = 1.0 / (1.0 + g * (g + DAMPING))
    high, low = 0.0, 0.0
    for channel in range(channels):
        at = STATES + STATES_PER_CHANNEL * channel
        sample = np.float64(x[channel, frame])
        v1, v2, memory[at], memory[at + 1] = svf_step(sample, memory[at], memory[at + 1], g, a1)
        high = max(high, (sample - DAMPING * v1 - v2) ** 2)
        low = max(low, v2**2)
    memory[HIGH_POWER] = high + decay * (memory[HIGH_POWER] - high)
    memory[LOW_POWER] = low + decay * (memory[LOW_POWER] - low)


@compiled
def _next_root(settings: Any, memory: Any) -> float:
    """Return the fourth root of the shelf's power gain, which its coefficients are made of."""
    threshold = ramp_next(memory, THRESHOLD_POWER * RAMP_SIZE)
    slope = ramp_next(memory, SLOPE * RAMP_SIZE)
    max_reduction_db = ramp_next(memory, MAX_REDUCTION_DB * RAMP_SIZE)
    wanted_db, bound = 0.0, max(threshold, SIBILANT_RATIO * memory[LOW_POWER])
    if memory[HIGH_POWER] > bound:
        wanted_db = min(slope * DB_PER_NEPER_OF_POWER * math.log(memory[HIGH_POWER] / bound), max_reduction_db)
    smoothing = settings[ATTACK] if wanted_db > memory[REDUCTION_DB] else settings[RELEASE]
    reduction_db = wanted_db + smoothing * (memory[REDUCTION_DB] - wanted_db)
    if reduction_db < NEGLIGIBLE_DB and wanted_db == 0.0:
        reduction_db = 0.0
    memory[REDUCTION_DB] = reduction_db
    if reduction_db != memory[ROOT_DB]:
        memory[ROOT_DB], memory[ROOT] = reduction_db, math.exp(-0.125 * reduction_db / DB_PER_NEPER_OF_POWER)
    root: float = memory[ROOT]
    return root


@kernel
def _deesser(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, _, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    for ramp in range(RAMPS):
        ramp_retarget(memory, ramp * RAMP_SIZE, settings[ramp], settings[RAMP_FRAMES])
    for frame in range(frames):
        g = ramp_next(memory, G * RAMP_SIZE)
        _follow_bands(memory, x, channels, frame, g, settings[POWER_DECAY])
        root = _next_root(settings, memory)
        amplitude = root * root
        direct = amplitude * amplitude
        band, low = DAMPING * (1.0 - amplitude) * amplitude, 1.0 - direct
        shelf_g = g * root
        a1 = 1.0 / (1.0 + shelf_g * (shelf_g + DAMPING))
        for channel in range(channels):
            at = STATES + STATES_PER_CHANNEL * channel + 2
            sample = np.float64(x[channel, frame])
            v1, v2, memory[at], memory[at + 1] = svf_step(sample, memory[at], memory[at + 1], shelf_g, a1)
            y[channel, frame] = direct * sample + band * v1 + low * v2


class Deesser(KernelNode):
    """Dip a high shelf while the band above a frequency stands out above a threshold and the band below it.

    Vowels hold more than 10 dB less above 6 kHz than below, so in steady voice the input's bits come out, at any
    level; a hard onset out of silence, a click to any filter, dips the shelf by less than 1 dB for a moment.

    Parameters
    ----------
    frequency_hz
        2000 to 12000: splits the detector's bands, and is the shelf's midpoint (RBJ cookbook, Q 0.7071).
    threshold_db
        -80 to 0 dBFS: RMS of the upper band above which it works.
    ratio
        1 to 20: dB in for one dB out above the threshold, or above 10 dB below the lower band if that is louder.
    max_reduction_db
        0 to 24: the most that the shelf dips; at 0 the input's bits come out.

    Notes
    -----
    Latency: 0. Power is averaged over 5 ms; the dip's time constants are 1 ms (attack) and 40 ms (release).
    All channels share the detector.
    """

    kind: ClassVar[str] = "deesser"
    PARAMETERS = (
        Parameter("frequency_hz", 6_000.0, 2_000.0, 12_000.0, doc="above it lies what is tamed"),
        Parameter("threshold_db", -48.0, -80.0, 0.0, doc="RMS of the upper band above which it works"),
        Parameter("ratio", 4.0, 1.0, 20.0, doc="dB in for one dB out"),
        Parameter("max_reduction_db", 12.0, 0.0, 24.0, doc="the most that the shelf dips"),
    )
    kernel = _deesser

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Prewarped frequency, threshold as power, slope, limit; decays per frame; ramp length in frames."""
        value = {name: float(given) for name, given in self._parameters.items()}
        frames_per_ms = spec.sample_rate * 1e-3
        return [
            prewarped(value["frequency_hz"], spec.sample_rate),
            10.0 ** (value["threshold_db"] / 10.0),
            1.0 - 1.0 / value["ratio"],
            value["max_reduction_db"],
            *(math.exp(-1.0 / (time_ms * frames_per_ms)) for time_ms in (POWER_MS, ATTACK_MS, RELEASE_MS)),
            RAMP_MS * frames_per_ms,
        ]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Ramps at rest, no reduction, filters empty."""
        settings = self.settings(spec)
        ramps = [number for value in settings[:RAMPS] for number in ramp_memory(value)]
        rest = [0.0, 0.0, 0.0, 1.0, 0.0]
        return State(settings, memory=[*ramps, *rest, *[0.0] * (STATES_PER_CHANNEL * spec.channels)])

    @property
    def tail_samples(self) -> int:
        """Frames until the shelf at its deepest, which rings longest, has fallen to -120 dBFS: a bound."""
        frequency_hz, _, _, deepest_db = (float(value) for value in self._parameters.values())
        shelf = svf_coefficients("high_shelf", frequency_hz, 1.0 / DAMPING, -deepest_db, self.spec.sample_rate)
        return svf_tail_frames([shelf])
