"""Level meter: lets the signal through untouched and keeps its peak, RMS and momentary loudness for readers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from ..core.kernel import compiled, kernel, unpack
from ..loudness import OFFSET_LUFS, channel_weights, k_weighting
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

FLOOR_DB: Final = -120.0
SLOT_MS = 10.0  # the windows below move in steps of this
RMS_SLOTS = 30  # 300 ms
LOUDNESS_SLOTS = 40  # 400 ms, BS.1770-4 and EBU Tech 3341, momentary
HOLD_FRAMES, DECAY = range(2)
SLOT_FRAMES, FILLED, SLOT = range(3)
# One channel's part of memory.
PEAK, HELD, SHELF_1, SHELF_2, HIGHPASS_1, HIGHPASS_2, PLAIN_SUM, WEIGHTED_SUM, PLAIN_MEAN, WEIGHTED_MEAN = range(10)
PLAIN_RING = 10
WEIGHTED_RING = PLAIN_RING + LOUDNESS_SLOTS
CHANNEL_SIZE = WEIGHTED_RING + LOUDNESS_SLOTS
FILTERS = 10  # coefficients of two biquads at the start of memory


@compiled
def _follow_peak(memory: Any, at: int, magnitude: float, hold_frames: float, decay: float) -> None:
    if magnitude >= memory[at + PEAK]:
        memory[at + PEAK] = magnitude
        memory[at + HELD] = hold_frames
    elif memory[at + HELD] > 0.0:
        memory[at + HELD] -= 1.0
    else:
        memory[at + PEAK] *= decay


@compiled
def _k_weight(memory: Any, at: int, value: float) -> float:
    shelved = memory[0] * value + memory[at + SHELF_1]
    memory[at + SHELF_1] = memory[1] * value - memory[3] * shelved + memory[at + SHELF_2]
    memory[at + SHELF_2] = memory[2] * value - memory[4] * shelved
    weighted = memory[5] * shelved + memory[at + HIGHPASS_1]
    memory[at + HIGHPASS_1] = memory[6] * shelved - memory[8] * weighted + memory[at + HIGHPASS_2]
    memory[at + HIGHPASS_2] = memory[7] * shelved - memory[9] * weighted
    return weighted  # type: ignore[no-any-return]


@compiled
def _close_slot(memory: Any, at: int, slot: int, slot_frames: int) -> None:
    memory[at + PLAIN_RING + slot] = memory[at + PLAIN_SUM]
    memory[at + WEIGHTED_RING + slot] = memory[at + WEIGHTED_SUM]
    memory[at + PLAIN_SUM] = 0.0
    memory[at + WEIGHTED_SUM] = 0.0
    plain, weighted = 0.0, 0.0  # added up anew each time, so that rounding cannot pile up
    for age in range(LOUDNESS_SLOTS):
        index = (slot + LOUDNESS_SLOTS - age) % LOUDNESS_SLOTS
        weighted += memory[at + WEIGHTED_RING + index]
        if age < RMS_SLOTS:
            plain += memory[at + PLAIN_RING + index]
    memory[at + PLAIN_MEAN] = plain / (RMS_SLOTS * slot_frames)
    memory[at + WEIGHTED_MEAN] = weighted / (LOUDNESS_SLOTS * slot_frames)


@kernel
def _meter(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    hold_frames, decay = settings[HOLD_FRAMES], settings[DECAY]
    slot_frames = counters[SLOT_FRAMES]
    filled, slot = counters[FILLED], counters[SLOT]
    for channel in range(channels):
        at = FILTERS + channel * CHANNEL_SIZE
        filled, slot = counters[FILLED], counters[SLOT]
        for frame in range(frames):
            sample = x[channel, frame]
            y[channel, frame] = sample
            value = float(sample)
            if not abs(value) < 1e15:  # a broken sample must not stay in the filters for ever
                value = 0.0
            _follow_peak(memory, at, abs(value), hold_frames, decay)
            weighted = _k_weight(memory, at, value)
            memory[at + PLAIN_SUM] += value * value
            memory[at + WEIGHTED_SUM] += weighted * weighted
            filled += 1
            if filled == slot_frames:
                _close_slot(memory, at, slot, slot_frames)
                filled = 0
                slot = (slot + 1) % LOUDNESS_SLOTS
    counters[FILLED], counters[SLOT] = filled, slot


@dataclass(frozen=True, slots=True)
class Levels:
    """What a meter shows; nothing is below -120.

    Parameters
    ----------
    peak_db
        Sample peak of each channel in dBFS, held and then falling.
    rms_db
        RMS of each channel over the last 300 ms in dBFS (a full-scale square wave reads 0, a sine -3.01).
    lufs_momentary
        Loudness of all channels together over the last 400 ms (ITU-R BS.1770-4), in LUFS.
    """

    peak_db: tuple[float, ...]
    rms_db: tuple[float, ...]
    lufs_momentary: float


class Meter(KernelNode):
    """Let the signal through bit for bit and measure it.

    The averages move in steps of 10 ms. Latency: 0.

    Parameters
    ----------
    hold_ms
        0 to 10000: how long a peak stands.
    decay_db_per_s
        1 to 1000: how fast it falls after that.
    """

    kind: ClassVar[str] = "meter"
    PARAMETERS = (
        Parameter("hold_ms", 1_000.0, 0.0, 10_000.0, doc="how long a peak stands"),
        Parameter("decay_db_per_s", 20.0, 1.0, 1_000.0, doc="how fast a peak falls after that"),
    )
    kernel = _meter

    def read(self) -> Levels:
        """Return the present levels. Thread: any, at any time; takes no lock.

        Each number is read whole; numbers of two channels may come from measurements 10 ms apart.
        """
        memory, channels = self.state.memory, self.spec.channels
        starts = [FILTERS + channel * CHANNEL_SIZE for channel in range(channels)]
        loudness = sum(
            weight * float(memory[at + WEIGHTED_MEAN])
            for weight, at in zip(channel_weights(channels), starts, strict=True)
        )
        return Levels(
            tuple(_power_db(float(memory[at + PEAK]) ** 2) for at in starts),
            tuple(_power_db(float(memory[at + PLAIN_MEAN])) for at in starts),
            max(OFFSET_LUFS + _power_db(loudness), FLOOR_DB),
        )

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Hold time in frames and the peak's factor per frame."""
        hold_ms, decay_db_per_s = (float(self._parameters[name]) for name in ("hold_ms", "decay_db_per_s"))
        return [round(hold_ms * 1e-3 * spec.sample_rate), 10.0 ** (-decay_db_per_s / 20.0 / spec.sample_rate)]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Filters at rest, nothing measured."""
        shelf, highpass = k_weighting(spec.sample_rate)
        return State(
            self.settings(spec),
            counters=[round(SLOT_MS * 1e-3 * spec.sample_rate), 0, 0],
            memory=[*shelf, *highpass, *([0.0] * (CHANNEL_SIZE * spec.channels))],
        )


def _power_db(power: float) -> float:
    return max(10.0 * math.log10(power), FLOOR_DB) if power > 0.0 else FLOOR_DB
