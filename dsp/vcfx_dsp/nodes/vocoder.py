"""Channel vocoder with its own carrier: the voice's spectrum on a buzz, a pulse train or noise."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

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
# Settings; the first three ramp, the tone's band gains come last.
STEP, UNVOICED, MIX, ATTACK, RELEASE, SMOOTHING, POWER_SMOOTHING, RAMP_FRAMES, GAINS = range(9)
RAMPED = 3
BANDS, NOISE_FROM_BAND, SOUND, RANDOM = range(4)
PHASE, LAST_SAW, LOW_POWER, HIGH_POWER = (RAMPED * RAMP_SIZE + index for index in range(4))
SCALARS = RAMPED * RAMP_SIZE + 4
# Rows of `bands` floats after the scalars.
B0, A1, A2, SIGN, NOISE_GAIN, TONE_GAIN, CARRIER = range(7)
CARRIER_ROWS = 5  # four filter states and the output
COMMON_ROWS = CARRIER + CARRIER_ROWS
CHANNEL_ROWS = 6  # four filter states, the output and the envelope
LEVELS = 2  # per channel, after its rows: input power, output power


@compiled
def _filter_bands(memory: Any, at: int, first: int, last: int, bands: int, value: float) -> None:
    """Run `value` through bands first..last; filter states and outputs are the five rows at `at`."""
    table = SCALARS
    for k in range(first, last):
        b0, a1, a2 = memory[table + B0 * bands + k], memory[table + A1 * bands + k], memory[table + A2 * bands + k]
        once = b0 * value + memory[at + k]
        memory[at + k] = memory[at + bands + k] - a1 * once
        memory[at + bands + k] = -b0 * value - a2 * once
        twice = b0 * once + memory[at + 2 * bands + k]
        memory[at + 2 * bands + k] = memory[at + 3 * bands + k] - a1 * twice
        memory[at + 3 * bands + k] = -b0 * once - a2 * twice
        memory[at + 4 * bands + k] = twice


@compiled
def _analyse(memory: Any, at: int, bands: int, split: int, attack: float, release: float) -> tuple[float, float]:
    """Follow the bands' magnitudes; return the power below and above the split."""
    low, high = 0.0, 0.0
    for k in range(bands):
        magnitude = abs(memory[at + 4 * bands + k])
        envelope = memory[at + 5 * bands + k]
        speed = attack if magnitude > envelope else release
        memory[at + 5 * bands + k] = envelope + speed * (magnitude - envelope)
        if k < split:
            low += magnitude * magnitude
        else:
            high += magnitude * magnitude
    return low, high


@compiled
def _carry(memory: Any, counters: Any, settings: Any, bands: int, split: int) -> None:
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
    share = memory[HIGH_POWER] / (memory[HIGH_POWER] + memory[LOW_POWER] + 1e-20)
    noisy = min(max((share - NOISY_FROM) / (NOISY_TO - NOISY_FROM), 0.0), 1.0)
    blend = unvoiced * noisy * noisy * (3.0 - 2.0 * noisy)
    at = SCALARS + CARRIER * bands
    _filter_bands(memory, at, 0, split, bands, tone)
    _filter_bands(memory, at, split, bands, bands, tone + blend * (noise - tone))
    for k in range(bands):
        tone_gain = memory[SCALARS + TONE_GAIN * bands + k]
        tone_gain += settings[SMOOTHING] * (settings[GAINS + k] - tone_gain)
        memory[SCALARS + TONE_GAIN * bands + k] = tone_gain
        noise_part = blend * (memory[SCALARS + NOISE_GAIN * bands + k] - tone_gain) if k >= split else 0.0
        memory[at + 4 * bands + k] *= (tone_gain + noise_part) * memory[SCALARS + SIGN * bands + k]


@compiled
def _imprint(memory: Any, at: int, bands: int, in_power: float, smoothing: float) -> float:
    """Return the carrier under this channel's envelopes, held to the input's level."""
    wet = 0.0
    for k in range(bands):
        wet += memory[at + 5 * bands + k] * memory[SCALARS + (CARRIER + 4) * bands + k]
    level = at + CHANNEL_ROWS * bands
    memory[level] += smoothing * (in_power - memory[level])
    memory[level + 1] += smoothing * (wet * wet - memory[level + 1])
    if memory[level + 1] < 1e-16:
        return wet
    ratio = math.sqrt(memory[level] / memory[level + 1])
    return wet * min(max(ratio, 1.0 / MAX_CORRECTION), MAX_CORRECTION)


@kernel
def _vocoder(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    bands, split = counters[BANDS], counters[NOISE_FROM_BAND]
    attack, release, smoothing = settings[ATTACK], settings[RELEASE], settings[POWER_SMOOTHING]
    for ramp in range(RAMPED):
        ramp_retarget(memory, ramp * RAMP_SIZE, settings[ramp], settings[RAMP_FRAMES])
    for frame in range(frames):
        _carry(memory, counters, settings, bands, split)
        mix = ramp_next(memory, MIX * RAMP_SIZE)
        all_low, all_high = 0.0, 0.0
        for channel in range(channels):
            at = SCALARS + COMMON_ROWS * bands + channel * (CHANNEL_ROWS * bands + LEVELS)
            dry = x[channel, frame]
            _filter_bands(memory, at, 0, bands, bands, dry)
            low, high = _analyse(memory, at, bands, split, attack, release)
            wet = _imprint(memory, at, bands, settings[GAINS + bands] * (low + high), smoothing)
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
        Parameter("bands", 20, 4, 32, live=False, integer=True, doc="number of bands"),
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
        return [*ramped, attack, release, gains, powers, round(RAMP_MS * 1e-3 * rate), *tones, 1.0 / design.overlap]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Filters at rest, gains and ramps where the parameters put them."""
        settings, design = self.settings(spec), self._design(spec)
        bands, sound = len(design.centres_hz), CARRIERS.index(self._carrier)
        ramps = [value for target in settings[:RAMPED] for value in ramp_memory(target)]
        signs = np.where(np.arange(bands) % 2, -1.0, 1.0)  # neighbours then add up where they overlap
        tables = [design.b0, design.a1, design.a2, signs, noise_gains(design), settings[GAINS : GAINS + bands]]
        states = CARRIER_ROWS * bands + spec.channels * (CHANNEL_ROWS * bands + LEVELS)
        return State(
            settings,
            counters=[bands, int(np.count_nonzero(design.centres_hz < design.treble_hz)), sound, SEED],
            memory=np.concatenate([ramps, np.zeros(SCALARS - len(ramps)), *tables, np.zeros(states)]),
        )

    @property
    def tail_samples(self) -> int:
        """Until the slowest filter has rung out and the envelopes have fallen by more than 120 dB."""
        if float(self._parameters["mix_ratio"]) == 0.0:
            return 0
        release_s = float(self._parameters["release_ms"]) * 1e-3
        return math.ceil((20.0 * release_s + 22.0 * self._design(self.spec).ring_s) * self.spec.sample_rate)
