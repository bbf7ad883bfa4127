"""Measure a round trip: play noise bursts, record what comes back, find each burst in it.

Each burst is white noise of its own, keyed on and off in an irregular rhythm. Waveforms are correlated first (exact to
the sample); where an effect changes the waveform, as a pitch shift does, the rhythms are (within a millisecond or two).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from vcfx_dsp.core.kernel import kernel, unpack
from vcfx_dsp.node import KernelNode, ProcessSpec
from vcfx_dsp.state import State

Signal = npt.NDArray[np.float32]
BURSTS = 5
_LEAD_S, _BURST_S, _SPACING_S, _TAIL_S = 2.0, 0.16, 0.9, 1.2  # the lead lets a clock bridge settle
_KEY_S = 0.01  # length of one unit of the rhythm
_LEVEL = 0.25
_AGREE_MS = 1.0
_CLEAR_RATIO = 10.0  # 20 dB over the floor of the correlation
_ENVELOPE_CLEAR_RATIO = 3.0
_ENVELOPE_MS = 2.0
_ENVELOPE_WINDOW_S = 0.6  # shorter than the bursts' distance: their envelopes are alike
POSITION, LENGTH = range(2)


@kernel
def _probe(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    _, counters, _, samples, x, y = unpack(state, block_in, block_out, channels, frames)
    position, length = counters[POSITION], counters[LENGTH]
    for frame in range(frames):
        inside = position + frame < length
        if inside:
            samples[length + position + frame] = x[0, frame]
        for channel in range(channels):
            y[channel, frame] = samples[position + frame] if inside else 0.0
    counters[POSITION] = min(position + frames, length)


class Probe(KernelNode):
    """Plays a test signal instead of its input, and keeps the input. Latency: 0."""

    kind: ClassVar[str] = "probe"
    kernel = _probe

    def settings(self, spec: ProcessSpec) -> list[float]:
        """It has none."""
        return []

    def initial_state(self, spec: ProcessSpec) -> State:
        """The test signal, and as much silence for what is heard."""
        signal = test_signal(spec.sample_rate)
        return State((), (0, len(signal)), samples=np.concatenate([signal, np.zeros_like(signal)]))

    @property
    def progress_ratio(self) -> float:
        """How much of the measurement is done, 0 to 1."""
        counters = self.state.counters
        return float(counters[POSITION]) / float(counters[LENGTH])

    def recorded(self) -> Signal:
        """What was heard so far."""
        length = int(self.state.counters[LENGTH])
        return self.state.samples[length:].copy()


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What a measurement found.

    Parameters
    ----------
    delays_ms
        One per burst that was found.
    latency_ms
        Their median, or None if fewer than three agree within a millisecond.
    method
        ``waveform`` or ``envelope``.
    floor_db
        Loudest noise between the bursts in dBFS: why a measurement may fail.
    """

    delays_ms: tuple[float, ...]
    latency_ms: float | None
    method: str
    floor_db: float


def test_signal(sample_rate: int) -> Signal:
    """Return silence, then the bursts at irregular distances, then silence."""
    rng = np.random.default_rng(1)
    count = int(_BURST_S * sample_rate)
    starts = burst_starts(sample_rate)
    signal = np.zeros(starts[-1] + int((_SPACING_S + _TAIL_S) * sample_rate), np.float32)
    for start in starts:
        noise = _LEVEL * rng.uniform(-1.0, 1.0, count)
        signal[start : start + count] = noise * _rhythm(rng, sample_rate, count)
    return signal


def _rhythm(rng: np.random.Generator, sample_rate: int, count: int) -> Signal:
    """Return 1 where the noise is on, 0 where it is off; it begins and ends with on."""
    units = math.ceil(_BURST_S / _KEY_S)
    on = np.ones(units, np.float32)
    on[rng.choice(np.arange(1, units - 1), units // 2, replace=False)] = 0.0
    return np.repeat(on, math.ceil(_KEY_S * sample_rate))[:count]


def burst_starts(sample_rate: int) -> list[int]:
    """Frames at which the bursts begin."""
    return [int((_LEAD_S + _SPACING_S * index + 0.031 * index * index) * sample_rate) for index in range(BURSTS)]


def find_round_trip(recorded: Signal, sample_rate: int) -> RoundTrip:
    """Find the bursts of `test_signal` in a recording of the same length."""
    floor = float(np.abs(recorded[: int(0.9 * _LEAD_S * sample_rate)]).max(initial=0.0))
    floor_db = 20.0 * np.log10(max(floor, 1e-6))
    sent = test_signal(sample_rate)
    result = RoundTrip((), None, "waveform", floor_db)
    for method in ("waveform", "envelope"):
        delays = [_find(sent, recorded, sample_rate, start, method) for start in burst_starts(sample_rate)]
        found = tuple(1e3 * delay / sample_rate for delay in delays if delay is not None)
        result = RoundTrip(found, _agreed(found), method, floor_db)
        if result.latency_ms is not None:
            break
    return result


def _agreed(delays_ms: tuple[float, ...]) -> float | None:
    if len(delays_ms) < 3:
        return None
    middle = float(np.median(delays_ms))
    close = [delay for delay in delays_ms if abs(delay - middle) <= _AGREE_MS]
    return float(np.median(close)) if len(close) >= 3 else None


def _find(sent: Signal, recorded: Signal, sample_rate: int, start: int, method: str) -> int | None:
    """Return the delay of the burst that began at `start`, or None if it cannot be told from noise."""
    burst = sent[start : start + int(_BURST_S * sample_rate)]
    window = recorded[start : start + int(_TAIL_S * sample_rate)]
    clear = _CLEAR_RATIO
    if method == "envelope":
        window = window[: int(_ENVELOPE_WINDOW_S * sample_rate)]
        burst, window = _envelope(burst, sample_rate), _envelope(window, sample_rate)
        clear = _ENVELOPE_CLEAR_RATIO
    size = 1 << int(np.ceil(np.log2(len(window) + len(burst))))
    product = np.fft.rfft(window, size) * np.conj(np.fft.rfft(burst, size))
    correlation = np.abs(np.fft.irfft(product, size)[: len(window)])
    best = int(correlation.argmax())
    floor = float(np.sqrt(np.mean(correlation**2)))
    return best if correlation[best] > clear * floor and floor > 0 else None


def _envelope(signal: Signal, sample_rate: int) -> Signal:
    width = max(1, int(_ENVELOPE_MS * 1e-3 * sample_rate))
    smooth = np.convolve(np.abs(signal), np.ones(width) / width, "same")
    return np.asarray(smooth - smooth.mean(), np.float32)
