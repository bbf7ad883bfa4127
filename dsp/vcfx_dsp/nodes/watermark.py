"""The mark of converted speech: an equaliser that waves by a keyed pattern, too little to be heard."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from ..core.kernel import compiled, kernel, unpack
from ..core.ramp import RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from ..core.watermark_layout import BANDS, SLOT_S, SLOTS, TRANSITION_S
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State
from ..watermark.key import WatermarkKey
from ..watermark.pattern import band_centres_hz, band_shares, band_widths_hz, pattern_of
from ..watermark.payload import MAX_PAYLOAD, Payload, encode

DEFAULT_STRENGTH_DB: Final = 2.0
SILENCE: Final = 1e-6
# Settings: how far a raised band is raised (linear), the ramp's length, then the code bits as +-1.
DEPTH, RAMP_FRAMES, CODE = range(3)
SLOT_FRAMES, TRANSITION_FRAMES, IN_SLOT, SLOT, BITS = range(5)
# Rows of `memory` after the ramp: filter coefficients, the tiles' gains, then each channel's states.
ROW: Final = BANDS
B0, A1, A2, FROM, MOVE, GAIN = (RAMP_SIZE + ROW * index for index in range(6))
SIGNS: Final = GAIN + ROW
CURVE: Final = SIGNS + SLOTS * BANDS
FIRST, SECOND, OUTPUT = (ROW * index for index in range(3))
CHANNEL_SIZE: Final = 3 * ROW


@compiled
def _next_slot(settings: Any, counters: Any, memory: Any) -> None:
    """Let every band's gain start to move from the ending tile's to the beginning one's."""
    slot = counters[SLOT]
    for band in range(ROW):
        tile = slot * ROW + band
        bit = counters[BITS + tile]
        sign = memory[SIGNS + tile]
        if bit >= 0:
            sign *= settings[CODE + bit]
        memory[FROM + band] += memory[MOVE + band]
        memory[MOVE + band] = sign - memory[FROM + band]
    counters[SLOT] = (slot + 1) % SLOTS


@compiled
def _set_gains(counters: Any, memory: Any, depth: float) -> None:
    """Set each band's present gain less one; smooth in the first part of the slot, then at rest."""
    at = max(0, min(counters[IN_SLOT], counters[TRANSITION_FRAMES]))
    arrived = memory[CURVE + at]
    for band in range(ROW):
        memory[GAIN + band] = depth * (memory[FROM + band] + arrived * memory[MOVE + band])


@compiled
def _band_sum(memory: Any, rows: Any, sample: float) -> float:
    """Advance one channel's band-passes by a sample and return their sum, each times its gain."""
    for band in range(ROW):
        entry = memory[B0 + band] * sample
        out = entry + rows[FIRST + band]
        rows[FIRST + band] = rows[SECOND + band] - memory[A1 + band] * out
        rows[SECOND + band] = -entry - memory[A2 + band] * out
        rows[OUTPUT + band] = out * memory[GAIN + band]
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    for band in range(0, ROW, 4):
        first += rows[OUTPUT + band]
        second += rows[OUTPUT + band + 1]
        third += rows[OUTPUT + band + 2]
        fourth += rows[OUTPUT + band + 3]
    return (first + second) + (third + fourth)


@kernel
def _watermark(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    ramp_retarget(memory, 0, settings[DEPTH], settings[RAMP_FRAMES])
    states = CURVE + counters[TRANSITION_FRAMES] + 1
    for frame in range(frames):
        if counters[IN_SLOT] == 0:
            _next_slot(settings, counters, memory)
        _set_gains(counters, memory, ramp_next(memory, 0))
        for channel in range(channels):
            base = states + channel * CHANNEL_SIZE
            sample = np.float64(x[channel, frame])
            y[channel, frame] = sample + _band_sum(memory, memory[base : base + CHANNEL_SIZE], sample)
        counters[IN_SLOT] += 1
        if counters[IN_SLOT] == counters[SLOT_FRAMES]:
            counters[IN_SLOT] = 0


def band_pass_coefficients(sample_rate: int) -> npt.NDArray[np.float64]:
    """Return b0, a1 and a2 of each band's ``b0 (1 - z^-2) / (1 + a1 z^-1 + a2 z^-2)``, its share at its centre.

    R. Bristow-Johnson's cookbook, with the width at -3 dB prewarped.
    """
    centres, widths = band_centres_hz(), band_widths_hz()
    omega = 2.0 * np.pi * centres / sample_rate
    alpha = np.sin(omega) * widths / centres / 2.0
    return np.array([band_shares() * alpha, -2.0 * np.cos(omega), 1.0 - alpha]) / (1.0 + alpha)


class Watermark(KernelNode):
    """Mark speech so that it can be told and traced, whatever becomes of the file.

    Twenty-four bands from 230 Hz to 3.5 kHz are raised or lowered by `strength_db`, low ones by 0.7 and high ones by
    1.5 times as much, each anew every 20 ms, by a pattern of 1.92 s that the key decides and whose signs carry the
    payload: ``y = x + sum_k g_k(t) b_k(x)`` with two-pole band-passes b_k. Slots count from `waits_samples` after
    `prepare` or `reset`; a new payload takes hold from slot to slot. Found again by
    `vcfx_dsp.watermark.detector.find_marks`.

    Parameters
    ----------
    payload
        `vcfx_dsp.watermark.payload.Payload.number`, 0 to 16777215.
    strength_db
        How far a band near 1 kHz is raised or lowered, 0 to 3. Latency: 0.
    key
        Hexadecimal digits, 8 to 64 bytes; empty: the public key.
    """

    kind: ClassVar[str] = "watermark"
    PARAMETERS = (
        Parameter("payload", 0.0, 0.0, float(MAX_PAYLOAD), integer=True, doc="what the mark says"),
        Parameter("strength_db", DEFAULT_STRENGTH_DB, 0.0, 3.0, doc="how far a band is raised or lowered"),
        Parameter("key", "", text=True, live=False, doc="hexadecimal; empty: the key that everybody knows"),
    )
    kernel = _watermark

    def __init__(self, **parameters: object) -> None:
        super().__init__(**parameters)
        self._key = WatermarkKey.from_hex(str(self._parameters["key"]))
        #: Frames before the first slot begins: the latency of what comes before, where slots are to count from sound.
        self.waits_samples = 0

    @property
    def payload(self) -> Payload:
        """What the mark says."""
        return Payload.from_number(int(self._parameters["payload"]))

    @property
    def tail_samples(self) -> int:
        """Until the slowest band has rung out."""
        b0, a1, a2 = band_pass_coefficients(self.spec.sample_rate)
        poles = -a1 / 2.0 + 1j * np.sqrt(a2 - a1**2 / 4.0)
        ringing = 2.0 * np.abs(b0 * (1.0 - poles**-2.0) / (1.0 - poles.conj() / poles))
        radius = np.abs(poles)
        rest = _depth(self.PARAMETERS[1].maximum) * ringing / (1.0 - radius)
        frames = np.log(SILENCE / BANDS / rest) / np.log(radius)
        return max(0, math.ceil(float(frames.max())))

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Depth, ramp length in frames, and the code bits as +-1."""
        depth = _depth(float(self._parameters["strength_db"]))
        code = 2.0 * encode(self.payload.number) - 1.0
        return [depth, RAMP_MS * 1e-3 * spec.sample_rate, *code.tolist()]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Filters at rest, gains of 0 dB, the frame at its start."""
        settings = self.settings(spec)
        pattern = pattern_of(self._key)
        transition = round(TRANSITION_S * spec.sample_rate)
        share = np.arange(transition + 1) / transition
        memory: list[npt.ArrayLike] = [
            ramp_memory(settings[DEPTH]),
            band_pass_coefficients(spec.sample_rate).ravel(),
            np.zeros(3 * ROW),
            pattern.signs.ravel(),
            share * share * (3.0 - 2.0 * share),
            np.zeros(CHANNEL_SIZE * spec.channels),
        ]
        head = [round(SLOT_S * spec.sample_rate), transition, -self.waits_samples, 0]
        counters = np.concatenate([head, pattern.bits.ravel()])
        return State(settings, counters, np.concatenate([np.asarray(part) for part in memory]))


def _depth(strength_db: float) -> float:
    return float(10.0 ** (strength_db / 20.0) - 1.0)
