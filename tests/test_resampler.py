from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numba.core.runtime import rtsys

from reference.resampler import low_pass, resampled
from vcfx_dsp.core.polyphase import run_resample
from vcfx_dsp.core.taps import inner_product
from vcfx_dsp.errors import ParameterError
from vcfx_dsp.resampler import Resampler, resample_signal

Block = npt.NDArray[np.float32]
PAIRS = ((44_100, 48_000), (48_000, 16_000), (11_025, 96_000), (48_000, 44_101), (96_000, 44_100), (8_000, 192_000))
PROMISED_DB = {"fast": -90.0, "standard": -100.0, "high": -120.0}
PASS_SHARE = {"fast": 0.8, "standard": 0.9, "high": 0.95}


def noise(channels: int, frames: int, seed: int = 0) -> Block:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (channels, frames)).astype(np.float32)


def streamed(resampler: Resampler, signal: Block, cuts: list[int]) -> Block:
    parts, at = [], 0
    for frames in [*cuts, signal.shape[1]]:
        frames = min(frames, signal.shape[1] - at)
        while frames > 0:
            step = min(frames, resampler.max_frames)
            parts.append(resampler.process(np.ascontiguousarray(signal[:, at : at + step])).copy())
            at, frames = at + step, frames - step
    parts.append(resampler.flush())
    return np.concatenate(parts, axis=1)


def tone_through(rate_in_hz: int, rate_out_hz: int, quality: str, tone_hz: float) -> npt.NDArray[np.float64]:
    """The steady middle of a resampled sine of level 1."""
    sinc = Resampler(rate_in_hz, rate_out_hz, 1, 16, quality).sinc
    frames = max(2 * sinc.taps, 4 * sinc.half_width) + math.ceil(8192 * max(1.0, rate_in_hz / rate_out_hz))
    tone = np.sin(2.0 * np.pi * tone_hz / rate_in_hz * np.arange(frames))[None].astype(np.float32)
    out = resample_signal(tone, rate_in_hz, rate_out_hz, quality)[0].astype(np.float64)
    edge = math.ceil(sinc.half_width * rate_out_hz / rate_in_hz) + 1
    middle: npt.NDArray[np.float64] = out[edge:-edge]
    return middle


def spurious_db(signal: npt.NDArray[np.float64], rate_hz: int, tone_hz: float) -> float:
    """The strongest line besides the tone, against a sine of level 1."""
    window = np.kaiser(signal.size, 22.0)
    spectrum = np.abs(np.fft.rfft(signal * window)) / (0.5 * window.sum())
    lines = np.arange(spectrum.size) * rate_hz / signal.size
    width = 10.0 * rate_hz / signal.size
    return 20.0 * math.log10(float(spectrum[np.abs(lines - tone_hz) > width].max()))


@given(
    rates=st.tuples(st.integers(8_000, 192_000), st.integers(8_000, 192_000)) | st.sampled_from(PAIRS),
    quality=st.sampled_from(sorted(PASS_SHARE)),
    seed=st.integers(0, 1000),
)
@settings(max_examples=15)
def test_is_the_sinc_sum(rates: tuple[int, int], quality: str, seed: int) -> None:
    assume(rates[0] != rates[1])
    resampler = Resampler(*rates, 1, 64, quality)
    signal = noise(1, 200, seed)
    out = streamed(resampler, signal, [])[0][:1500]
    assert resampler.sinc.half_width == low_pass(*rates, quality).half_width
    expected = resampled(signal[0].astype(np.float64), *rates, quality, out.size, resampler.delay_frames)
    # interpolated tables keep the short filter's end value, a hundred-thousandth, at distances of exactly its width
    np.testing.assert_allclose(out, expected, atol=1e-5 if quality == "fast" else 2e-6)


@given(
    pair=st.sampled_from(PAIRS),
    cuts=st.lists(st.integers(0, 500), max_size=12),
    quality=st.sampled_from(["fast", "standard"]),
)
def test_any_partition_gives_the_same_bits(pair: tuple[int, int], cuts: list[int], quality: str) -> None:
    signal = noise(2, 3000)
    whole = streamed(Resampler(*pair, 2, 3000, quality), signal, [])
    assert np.array_equal(whole, streamed(Resampler(*pair, 2, 171, quality), signal, cuts))


@given(rates=st.tuples(st.integers(8_000, 192_000), st.integers(8_000, 192_000)), cuts=st.lists(st.integers(0, 64)))
def test_counts_are_exact(rates: tuple[int, int], cuts: list[int]) -> None:
    resampler = Resampler(*rates, 1, 64, "fast")
    received = given_out = 0
    for frames in cuts:
        received += frames
        given_out += resampler.process(noise(1, frames)).shape[1]
        assert given_out == -(-received * rates[1] // rates[0])
    assert resampler.flush().shape[1] == resampler.delay_frames


@pytest.mark.parametrize("quality", PASS_SHARE)
@pytest.mark.parametrize("pair", PAIRS)
def test_pass_band_is_flat_and_clean(pair: tuple[int, int], quality: str) -> None:
    for share in (0.05, 0.5, PASS_SHARE[quality]):
        tone_hz = share * min(pair) / 2.0
        out = tone_through(*pair, quality, tone_hz)
        angle = 2.0 * np.pi * tone_hz / pair[1] * np.arange(out.size)
        basis = np.stack([np.sin(angle), np.cos(angle)], axis=1)
        level = float(np.linalg.norm(np.linalg.lstsq(basis, out, rcond=None)[0]))
        assert abs(20.0 * math.log10(level)) < 0.01  # promised: 0.1
        assert spurious_db(out, pair[1], tone_hz) < PROMISED_DB[quality]


@pytest.mark.parametrize("quality", ["standard", "high"])
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair[0] > pair[1]])
def test_nothing_folds_down(pair: tuple[int, int], quality: str) -> None:
    for share in (1.0, 1.01, 1.3):
        tone_hz = min(share * pair[1] / 2.0, 0.49 * pair[0])
        out = tone_through(*pair, quality, tone_hz)
        assert 20.0 * math.log10(np.sqrt(2.0) * np.std(out)) < PROMISED_DB[quality]


@pytest.mark.parametrize("pair", PAIRS)
def test_whole_signals_come_out_in_place(pair: tuple[int, int]) -> None:
    tone_hz = 0.3 * min(pair) / 2.0
    frames = pair[0] // 4
    signal = np.sin(2.0 * np.pi * tone_hz / pair[0] * np.arange(frames))[None].astype(np.float32)
    out = resample_signal(signal, *pair)[0]
    assert out.size == -(-frames * pair[1] // pair[0])
    middle = slice(out.size // 4, -out.size // 4)
    expected = np.sin(2.0 * np.pi * tone_hz / pair[1] * np.arange(out.size))
    np.testing.assert_allclose(out[middle], expected[middle], atol=2e-6)


def test_delays_are_those_stated() -> None:
    assert Resampler(48_000, 16_000, 1, 480, "standard").delay_frames == 68
    assert Resampler(44_100, 48_000, 1, 480, "standard").delay_s < 2e-3
    assert Resampler(44_100, 48_000, 1, 480, "fast").delay_s < 0.5e-3


def test_impulse_peaks_at_the_delay() -> None:
    resampler = Resampler(16_000, 48_000, 1, 100, "standard")
    impulse = np.zeros((1, 100), np.float32)
    impulse[0, 0] = 1.0
    out = np.concatenate([resampler.process(impulse).copy(), resampler.flush()], axis=1)
    assert int(np.argmax(np.abs(out))) == resampler.delay_frames == 3 * 72


def test_equal_rates_copy() -> None:
    resampler = Resampler(48_000, 48_000, 2, 64)
    block = noise(2, 50)
    assert resampler.delay_frames == 0
    assert np.array_equal(resampler.process(block), block)
    assert resampler.flush().shape == (2, 0)


def test_reset_reruns_bit_equal() -> None:
    resampler = Resampler(44_100, 48_000, 2, 500)
    signal = noise(2, 2000)
    first = streamed(resampler, signal, [7, 300])
    resampler.reset()
    assert np.array_equal(first, streamed(resampler, signal, []))


def test_fills_a_given_block() -> None:
    resampler = Resampler(48_000, 16_000, 2, 480)
    target = np.full((2, resampler.max_out_frames), 7.0, np.float32)
    out = resampler.process(noise(2, 480), target)
    assert out.shape == (2, 160)
    assert np.shares_memory(out, target)


def test_allocates_nothing() -> None:
    resampler = Resampler(48_000, 44_101, 2, 256)
    block, out = noise(2, 256), np.zeros((2, resampler.max_out_frames), np.float32)
    before = rtsys.get_allocation_stats()
    for _ in range(50):
        run_resample(resampler.address, block.ctypes.data, out.ctypes.data, 256)
    assert rtsys.get_allocation_stats() == before


def test_inner_product_keeps_float32_precision() -> None:
    first, second = noise(1, 3248, 1)[0], noise(1, 3248, 2)[0]
    exact = float(np.dot(first.astype(np.float64), second.astype(np.float64)))
    worst = np.finfo(np.float32).eps * float(np.dot(np.abs(first), np.abs(second)))
    assert abs(float(inner_product(first.ctypes.data, second.ctypes.data, first.size)) - exact) < worst


@pytest.mark.parametrize(
    "block",
    [
        np.zeros((1, 65), np.float32),
        np.zeros((2, 8), np.float32),
        np.zeros((1, 8)),
        np.zeros((1, 16), np.float32)[:, ::2],
    ],
)
def test_refuses_blocks_of_another_form(block: Block) -> None:
    with pytest.raises(ParameterError, match=r"allowed: contiguous float32 \(1, 0 to 64\)"):
        Resampler(48_000, 16_000, 1, 64).process(block)


def test_refuses_too_little_room() -> None:
    with pytest.raises(ParameterError, match=r"block_out is float32 \(1, 3\); it needs"):
        Resampler(48_000, 16_000, 1, 64).process(noise(1, 8), np.zeros((1, 3), np.float32))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((7_999, 48_000, 1, 64), "rate_in_hz is 7999; allowed: whole numbers from 8000 to 192000"),
        ((48_000, 192_001, 1, 64), "rate_out_hz is 192001"),
        ((48_000, 44_100, 0, 64), "channels is 0; allowed: 1 to 32"),
        ((48_000, 44_100, 1, 0), "max_frames is 0"),
        ((48_000, 44_100, 1, 64, "best"), "quality 'best' does not exist; known: fast, high, standard"),
        ((48_000, 44_100, 1, 64, "higher"), "quality 'higher' does not exist; did you mean 'high'"),
    ],
)
def test_refuses_what_it_cannot_do(arguments: tuple[int, int, int, int], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Resampler(*arguments)
