"""From hops at 24 kHz to a stream at any rate: latency exact, no sample lost, any cutting of the signal the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx.hosts.sample_queue import SampleQueue, Samples
from vcfx.hosts.voice_stream import VoiceStream, rebuffer_latency
from vcfx_dsp.resampler import Resampler
from vcfx_models.geometry import HOP_SAMPLES, LATENCY_SAMPLES, SAMPLE_RATE

RATES_HZ = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000]


class DelayedHops:
    """Stands in for the model: its input, `LATENCY_SAMPLES` later."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._past: Samples = np.zeros(LATENCY_SAMPLES, np.float32)

    def convert_hop(self, hop: Samples) -> Samples:
        assert hop.shape == (HOP_SAMPLES,)
        whole = np.concatenate([self._past, hop])
        self._past = whole[HOP_SAMPLES:]
        return whole[:HOP_SAMPLES]


def streamed(stream: VoiceStream, signal: Samples, sizes: list[int]) -> Samples:
    out, start = np.full_like(signal, np.nan), 0
    for size in sizes:
        stop = min(start + size, signal.size)
        block = np.ascontiguousarray(signal[None, start:stop])
        stream.process(block, out[start:stop])
        start = stop
    return out[:start]


def pulse(sample_rate: int, frames: int, at: int) -> Samples:
    """A short bump of about 1 kHz width, which the resamplers leave alone."""
    time_s = (np.arange(frames) - at) / sample_rate
    return np.exp(-0.5 * (time_s / 0.0004) ** 2).astype(np.float32)


@pytest.mark.parametrize("sample_rate", RATES_HZ)
@pytest.mark.parametrize("block", ["any", "hop", "double"])
def test_what_comes_out_is_what_went_in_after_the_stated_latency(sample_rate: int, block: str) -> None:
    hop = round(sample_rate / 100) * (2 if block == "double" else 1)
    stream = VoiceStream(DelayedHops().convert_hop, sample_rate, hop, block != "any")
    sizes = [1, 7, hop, hop - 1, 3, hop] * 4 if block == "any" else [hop] * 16
    frames = sum(sizes)
    signal = pulse(sample_rate, frames, frames // 3)
    out = streamed(stream, signal, sizes)
    expected = np.interp(np.arange(frames) - stream.latency_samples, np.arange(frames), signal, left=0.0)
    # Half a sample at most: the resamplers' delay need not be a whole number of samples at the device's rate.
    slope = float(np.abs(np.diff(signal)).max())
    np.testing.assert_allclose(out, expected, rtol=0, atol=0.55 * slope + 0.002)


@pytest.mark.parametrize("sample_rate", [24_000, 48_000, 96_000])
def test_the_latency_is_exact_where_the_rates_divide(sample_rate: int) -> None:
    hop = sample_rate // 100
    stream = VoiceStream(DelayedHops().convert_hop, sample_rate, hop, True)
    signal = pulse(sample_rate, 12 * hop, 3 * hop)
    out = streamed(stream, signal, [hop] * 12)
    late = stream.latency_samples
    np.testing.assert_allclose(out[late:], signal[:-late], rtol=0, atol=1e-4)
    resamplers = 0 if sample_rate == SAMPLE_RATE else 32
    assert late == (LATENCY_SAMPLES + resamplers) * sample_rate // SAMPLE_RATE


@given(
    sample_rate=st.sampled_from([8_000, 11_025, 22_050, 44_100, 48_000]),
    sizes=st.lists(st.one_of(st.integers(0, 960), st.sampled_from([0, 1, 441, 480])), min_size=1, max_size=12),
)
def test_any_cutting_gives_the_same_bits(sample_rate: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(3)
    signal = rng.standard_normal(sum(sizes)).astype(np.float32)
    hops = DelayedHops()
    stream = VoiceStream(hops.convert_hop, sample_rate, 960, False)
    cut = streamed(stream, signal, sizes)
    hops.reset()
    stream.reset()
    whole = streamed(stream, signal, [960] * (signal.size // 960 + 1))
    np.testing.assert_array_equal(cut, whole)


@pytest.mark.parametrize("sample_rate", [8_000, 8_001, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("block", [1, 128, 441, 480])
def test_rebuffering_costs_what_counting_finds(sample_rate: int, block: int) -> None:
    """Counted block by block, with the resamplers' own counting, until the pattern repeats."""
    inward, outward = (Resampler(*rates, 1, 480, "fast") for rates in _rates(sample_rate))
    silence, hop = np.zeros((1, block), np.float32), np.zeros((1, HOP_SAMPLES), np.float32)
    heard = given_out = worst = 0
    for received in range(block, math.lcm(sample_rate, block) + block, block):
        heard += inward.process(silence).shape[1]
        while heard >= HOP_SAMPLES:
            heard -= HOP_SAMPLES
            given_out += outward.process(hop).shape[1]
        worst = max(worst, received - given_out)
    assert rebuffer_latency(sample_rate, block) == worst


def _rates(sample_rate: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (sample_rate, SAMPLE_RATE), (SAMPLE_RATE, sample_rate)


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=40))
def test_a_queue_gives_each_sample_at_its_place_or_silence(steps: list[tuple[bool, int]]) -> None:
    queue = SampleQueue(40 * 41)
    put, taken = 0, []
    available = []
    for is_put, count in steps:
        if is_put:
            queue.put(np.arange(put + 1, put + count + 1, dtype=np.float32))
            put += count
        else:
            target: Samples = np.empty(count, np.float32)
            queue.take(target)
            taken += target.tolist()
            available += [put] * count
    assert taken == [place + 1 if place < limit else 0 for place, limit in enumerate(available)]
