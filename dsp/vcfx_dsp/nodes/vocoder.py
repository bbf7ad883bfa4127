"""Channel vocoder with its own carrier: the voice's spectrum on a buzz, a pulse train or noise."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..core.kernel import compiled, kernel, unpack
from ..core.oscillator import next_phase, noise_sample, sawtooth
from ..core.ramp import RAMP_MS, RAMP_SIZE, ramp_memory, ramp_next, ramp_retarget
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State
from ..vocoder_bands import BandDesign, Carrier, design_bands, noise_gains, tone_gains

CARRIERS: tuple[Carrier, ...] = ("sawtooth", "pulse", "noise")
SAWTOOTH, PULSE, NOISE = range(3)
POWER_MS = 30.0  # over which input and output levels are compared, and noisiness is judged
MAX_CORRECTION = 4.0
NOISY_FROM, NOISY_TO = 0.3, 0.7  # share of power above 3 kHz; vowels stay below, fricatives above
SEED = 20_251_122
MAX_BANDS = 32
TOGETHER = 4  # bands; their number is filled up to a multiple with bands that stay silent
# Settings; the first three ramp, the tone's band gains come last.
STEP, UNVOICED, MIX, ATTACK, RELEASE, SMOOTHING, POWER_SMOOTHING, RAMP_FRAMES, OVERLAP, GAINS = range(10)
RAMPED = 3
BANDS, SOUND, RANDOM = range(3)
PHASE, LAST_SAW, LOW_POWER, HIGH_POWER = (RAMPED * RAMP_SIZE + index for index in range(4))
TABLE = RAMPED * RAMP_SIZE + 4
# Rows after the scalars, as long as the most bands: at fixed distances, loops over bands run in vector registers.
ROW = MAX_BANDS
B0, A1, A2, SIGN, NOISE_GAIN, IS_BASS, IS_TREBLE, TONE_GAIN = (ROW * index for index in range(8))
TABLE_SIZE = TONE_GAIN + ROW
# Rows of a filter bank: four states and the output; the carrier has one, each channel has one and its envelopes.
FIRST, SECOND, THIRD, FOURTH, OUTPUT, ENVELOPE = (ROW * index for index in range(6))
CARRIER = TABLE + TABLE_SIZE
CHANNELS = CARRIER + OUTPUT + ROW
IN_LEVEL, OUT_LEVEL = ENVELOPE + ROW, ENVELOPE + ROW + 1
CHANNEL_SIZE = OUT_LEVEL + 1


@compiled
def _filter_bands(table: Any, rows: Any, bands: int, value: float, extra_treble: float) -> None:
    """Run `value` through the filters whose states are in `rows`; treble bands hear `extra_treble` besides."""
    for k in range(bands):
        b0, a1, a2 = table[B0 + k], table[A1 + k], table[A2 + k]
        entry = b0 * (value + table[IS_TREBLE + k] * extra_treble)
        once = entry + rows[FIRST + k]
        rows[FIRST + k] = rows[SECOND + k] - a1 * once
        rows[SECOND + k] = -entry - a2 * once
        twice = b0 * once + rows[THIRD + k]
        rows[THIRD + k] = rows[FOURTH + k] - a1 * twice
        rows[FOURTH + k] = -b0 * once - a2 * twice
        rows[OUTPUT + k] = twice


@compiled
def _sum_of_products(a: Any, a_row: int, b: Any, b_row: int) -> float:
    """Return the scalar product of two rows, as eight sums that do not wait for each other."""
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    fifth, sixth, seventh, eighth = 0.0, 0.0, 0.0, 0.0
    for k in range(0, ROW, 8):
        first += a[a_row + k] * b[b_row + k]
        second += a[a_row + k + 1] * b[b_row + k + 1]
        third += a[a_row + k + 2] * b[b_row + k + 2]
        fourth += a[a_row + k + 3] * b[b_row + k + 3]
        fifth += a[a_row + k + 4] * b[b_row + k + 4]
        sixth += a[a_row + k + 5] * b[b_row + k + 5]
        seventh += a[a_row + k + 6] * b[b_row + k + 6]
        eighth += a[a_row + k + 7] * b[b_row + k + 7]
    return ((first + second) + (third + fourth)) + ((fifth + sixth) + (seventh + eighth))


@compiled
def _analyse(table: Any, rows: Any, bands: int, attack: float, release: float) -> tuple[float, float]:
    """Follow the bands' magnitudes; return the power of the bass and of the treble bands."""
    for k in range(bands):
        magnitude, envelope = abs(rows[OUTPUT + k]), rows[ENVELOPE + k]
        speed = attack if magnitude > envelope else release
        rows[ENVELOPE + k] = envelope + speed * (magnitude - envelope)
        rows[OUTPUT + k] = magnitude * magnitude
    low = _sum_of_products(rows, OUTPUT, table, IS_BASS)
    return low, _sum_of_products(rows, OUTPUT, table, IS_TREBLE)


@compiled
def _noise_share(memory: Any, unvoiced: float) -> float:
    share = memory[HIGH_POWER] / (memory[HIGH_POWER] + memory[LOW_POWER] + 1e-20)
    noisy = min(max((share - NOISY_FROM) / (NOISY_TO - NOISY_FROM), 0.0), 1.0)
    blend: float = unvoiced * noisy * noisy * (3.0 - 2.0 * noisy)
    return blend


@compiled
def _carry(memory: Any, table: Any, carrier: Any, counters: Any, settings: Any, bands: int) -> None:
    """Make one frame of the carrier and split it into bands of equal strength."""
    step = ramp_next(memory, STEP * RAMP_SIZE)
    unvoiced = ramp_next(memory, UNVOICED * RAMP_SIZE)
    memory[PHASE] = next_phase(memory[PHASE], step)
    saw = sawtooth(memory[PHASE], step)
    noise = noise_sample(counters, RANDOM)
    tone = saw
    if counters[SOUND] == PULSE:
        tone = memory[LAST_SAW] - saw
    elif counters[SOUND] == NOISE:
        tone = noise
    memory[LAST_SAW] = saw
    blend = _noise_share(memory, unvoiced)
    _filter_bands(table, carrier, bands, tone, blend * (noise - tone))
    smoothing = settings[SMOOTHING]
    for k in range(bands):
        tone_gain = table[TONE_GAIN + k]
        tone_gain += smoothing * (settings[GAINS + k] - tone_gain)
        table[TONE_GAIN + k] = tone_gain
        noise_part = table[IS_TREBLE + k] * blend * (table[NOISE_GAIN + k] - tone_gain)
        carrier[OUTPUT + k] *= (tone_gain + noise_part) * table[SIGN + k]


@compiled
def _imprint(carrier: Any, rows: Any, in_power: float, smoothing: float) -> float:
    """Return the carrier under this channel's envelopes, held to the input's level."""
    wet = _sum_of_products(rows, ENVELOPE, carrier, OUTPUT)
    rows[IN_LEVEL] += smoothing * (in_power - rows[IN_LEVEL])
    rows[OUT_LEVEL] += smoothing * (wet * wet - rows[OUT_LEVEL])
    if rows[OUT_LEVEL] < 1e-16:
        return wet
    ratio = math.sqrt(rows[IN_LEVEL] / rows[OUT_LEVEL])
    return wet * min(max(ratio, 1.0 / MAX_CORRECTION), MAX_CORRECTION)


@kernel
def _vocoder(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    bands, overlap = counters[BANDS], settings[OVERLAP]
    attack, release, smoothing = settings[ATTACK], settings[RELEASE], settings[POWER_SMOOTHING]
    for ramp in range(RAMPED):
        ramp_retarget(memory, ramp * RAMP_SIZE, settings[ramp], settings[RAMP_FRAMES])
    table, carrier = memory[TABLE : TABLE + TABLE_SIZE], memory[CARRIER:CHANNELS]
    for frame in range(frames):
        _carry(memory, table, carrier, counters, settings, bands)
        mix = ramp_next(memory, MIX * RAMP_SIZE)
        all_low, all_high = 0.0, 0.0
        for channel in range(channels):
            at = CHANNELS + channel * CHANNEL_SIZE
            rows = memory[at : at + CHANNEL_SIZE]
            dry = x[channel, frame]
            _filter_bands(table, rows, bands, dry, 0.0)
            low, high = _analyse(table, rows, bands, attack, release)
            wet = _imprint(carrier, rows, overlap * (low + high), smoothing)
            y[channel, frame] = (1.0 - mix) * dry + mix * wet
            all_low += low
            all_high += high
        memory[LOW_POWER] += smoothing * (all_low - memory[LOW_POWER])
        memory[HIGH_POWER] += smoothing * (all_high - memory[HIGH_POWER])


class Vocoder(KernelNode):
    """Cut voice and carrier into the same bands and give each of the carrier's the strength of the voice's.

    Bands lie evenly in pitch from 100 Hz to 8 kHz (or 0.45 of the sample rate), two second-order bandpasses each.
    The output's level is held to the input's, measured over 30 ms. H. Dudley, "Remaking speech", JASA 11, 1939.

    Parameters
    ----------
    carrier
        ``sawtooth``, ``pulse`` (brighter, more even) or ``noise`` (whisper); fixed while sound runs.
    pitch_hz
        40 to 1000: the carrier's pitch.
    bands
        4 to 32, fixed while sound runs.
    attack_ms, release_ms
        1 to 100 and 1 to 500: time constants of the bands' envelopes.
    unvoiced_ratio
        0 to 1: how far the carrier above 3 kHz becomes noise while the voice hisses. 0 keeps the buzz, for whispers.
    mix_ratio
        0 (the input, same bits) to 1 (vocoder only). Latency: 0.
    """

    kind: ClassVar[str] = "vocoder"
    PARAMETERS = (
        Parameter("carrier", "sawtooth", choices=CARRIERS, live=False, doc="what speaks instead of the voice"),
        Parameter("pitch_hz", 110.0, 40.0, 1_000.0, doc="the carrier's pitch"),
        Parameter("bands", 20, 4, MAX_BANDS, live=False, integer=True, doc="number of bands"),
        Parameter("attack_ms", 3.0, 1.0, 100.0, doc="how fast a band opens"),
        Parameter("release_ms", 20.0, 1.0, 500.0, doc="how fast a band closes"),
        Parameter("unvoiced_ratio", 0.7, 0.0, 1.0, doc="noise in the treble while the voice hisses"),
        Parameter("mix_ratio", 1.0, 0.0, 1.0, doc="0 is the input, 1 the vocoder alone"),
    )
    kernel = _vocoder

    @property
    def _carrier(self) -> Carrier:
        return CARRIERS[CARRIERS.index(self._parameters["carrier"])]

    def _design(self, spec: ProcessSpec) -> BandDesign:
        return design_bands(int(self._parameters["bands"]), spec.sample_rate)

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Carrier, envelopes, mix, each band's gain for the carrier, and the bands' overlap."""
        rate, given = spec.sample_rate, self._parameters
        pitch_hz = float(given["pitch_hz"])
        attack, release, gains, powers = (
            1.0 - math.exp(-1.0 / (ms * 1e-3 * rate))
            for ms in (float(given["attack_ms"]), float(given["release_ms"]), RAMP_MS, POWER_MS)
        )
        design = self._design(spec)
        tones = tone_gains(design, self._carrier, pitch_hz)
        ramped = [pitch_hz / rate, float(given["unvoiced_ratio"]), float(given["mix_ratio"])]
        times = [attack, release, gains, powers, round(RAMP_MS * 1e-3 * rate)]
        return [*ramped, *times, 1.0 / design.overlap, *_row(tones)]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Filters at rest, gains and ramps where the parameters put them."""
        settings, design = self.settings(spec), self._design(spec)
        bands, sound = len(design.centres_hz), CARRIERS.index(self._carrier)
        ramps = [value for target in settings[:RAMPED] for value in ramp_memory(target)]
        signs = np.where(np.arange(bands) % 2, -1.0, 1.0)  # neighbours then add up where they overlap
        is_treble = np.where(design.centres_hz < design.treble_hz, 0.0, 1.0)
        rows: list[npt.ArrayLike] = [
            design.b0,
            design.a1,
            design.a2,
            signs,
            noise_gains(design),
            1.0 - is_treble,
            is_treble,
        ]
        table = [*(_row(row) for row in rows), settings[GAINS:]]
        states = np.zeros(CHANNELS - CARRIER + spec.channels * CHANNEL_SIZE)
        return State(
            settings,
            counters=[-(-bands // TOGETHER) * TOGETHER, sound, SEED],
            memory=np.concatenate([ramps, np.zeros(TABLE - len(ramps)), *table, states]),
        )

    @property
    def tail_samples(self) -> int:
        """Until the slowest filter has rung out and the envelopes have fallen by more than 120 dB."""
        if float(self._parameters["mix_ratio"]) == 0.0:
            return 0
        release_s = float(self._parameters["release_ms"]) * 1e-3
        return math.ceil((20.0 * release_s + 22.0 * self._design(self.spec).ring_s) * self.spec.sample_rate)


def _row(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return one number for each band, filled up with zeros."""
    given = np.asarray(values, np.float64)
    return np.append(given, np.zeros(ROW - given.size))
