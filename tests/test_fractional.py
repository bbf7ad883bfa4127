from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.runtime import rtsys

from reference.resampler import low_pass, value_at
from vcfx_dsp.core.fractional import ONE_FRAME, run_fractional
from vcfx_dsp.errors import ParameterError
from vcfx_dsp.fractional import FractionalResampler

Block = npt.NDArray[np.float32]
Signal = npt.NDArray[np.float64]
PAIRS = ((48_000, 48_000), (44_100, 48_000), (8_000, 192_000), (192_000, 8_000), (48_000, 16_000))


def noise(channels: int, frames: int, seed: int = 0) -> Block:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (channels, frames)).astype(np.float32)


def pulled(resampler: FractionalResampler, signal: Block, cuts: list[tuple[int, float]]) -> tuple[Block, Signal]:
    """The output of calls of so many frames at such a correction, and the time of every frame in input frames."""
    parts, times, at, time = [np.zeros((signal.shape[0], 0), np.float32)], [np.zeros(0)], 0, 0
    for frames, correction in cuts:
        needed, step = resampler.needed(frames, correction), resampler.step(correction)
        if at + needed > signal.shape[1]:
            break
        block = np.ascontiguousarray(signal[:, at : at + needed])
        parts.append(resampler.process(block, frames, correction).copy())
        times.append((time + step * np.arange(frames)) / ONE_FRAME)
        at, time = at + needed, time + step * frames
    return np.concatenate(parts, axis=1), np.concatenate(times)


def sine(rate_hz: int, tone_hz: float, frames: int) -> Block:
    tone: Block = np.sin(2.0 * np.pi * tone_hz / rate_hz * np.arange(frames))[None].astype(np.float32)
    return tone


def noise_db(out: Signal, angle: Signal) -> float:
    """What remains beside a sine of the given angle, against it."""
    basis = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    fitted = basis @ np.linalg.lstsq(basis, out, rcond=None)[0]
    return 10.0 * math.log10(float(np.sum((out - fitted) ** 2) / np.sum(fitted**2)))


@given(
    rates=st.tuples(st.integers(8_000, 192_000), st.integers(8_000, 192_000)) | st.sampled_from(PAIRS),
    quality=st.sampled_from(["fast", "standard", "high"]),
    correction=st.floats(-0.01, 0.01),
    seed=st.integers(0, 1000),
)
@settings(max_examples=15)
def test_is_the_sinc_sum(rates: tuple[int, int], quality: str, correction: float, seed: int) -> None:
    resampler = FractionalResampler(*rates, 1, 100, quality)
    frames = resampler.sinc.taps + math.ceil(320 * rates[0] / rates[1])
    signal = noise(1, frames, seed)
    out, times = pulled(resampler, signal, [(100, correction), (0, 0.0), (73, correction), (100, -correction)])
    expected = value_at(signal[0].astype(np.float64), times, low_pass(*rates, quality))
    assert out.shape[1] == 273
    np.testing.assert_allclose(out[0], expected, atol=3e-6 if quality != "fast" else 1e-5)


@given(
    pair=st.sampled_from(PAIRS),
    cuts=st.lists(st.integers(0, 200), max_size=10),
    correction=st.floats(-1e-3, 1e-3),
)
def test_any_partition_gives_the_same_bits(pair: tuple[int, int], cuts: list[int], correction: float) -> None:
    total = sum(cuts)
    signal = noise(2, 400 + math.ceil((total + 10) * 1.01 * pair[0] / pair[1]) + 1000)
    whole, _ = pulled(FractionalResampler(*pair, 2, 2000, "fast"), signal, [(total, correction)])
    parts, _ = pulled(FractionalResampler(*pair, 2, 200, "fast"), signal, [(cut, correction) for cut in cuts])
    assert whole.shape == (2, total)
    assert np.array_equal(whole, parts)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize(("quality", "promised_db"), [("fast", -90.0), ("standard", -100.0), ("high", -120.0)])
def test_steady_sines_are_clean(pair: tuple[int, int], quality: str, promised_db: float) -> None:
    resampler = FractionalResampler(*pair, 1, 256, quality)
    for share in (0.1, 0.75):
        tone_hz = share * min(pair) / 2.0
        resampler.reset()
        frames = 2 * resampler.sinc.taps + math.ceil(6000 * pair[0] / pair[1])
        out, times = pulled(resampler, sine(pair[0], tone_hz, frames), [(256, 2.5e-4)] * 30)
        skip = math.ceil(resampler.sinc.half_width * pair[1] / pair[0])
        angle = 2.0 * np.pi * tone_hz / pair[0] * times
        assert noise_db(out[0, skip:].astype(np.float64), angle[skip:]) < promised_db


def test_steering_stays_in_phase_and_clean() -> None:
    resampler = FractionalResampler(48_000, 48_000, 1, 128, "standard")
    random = np.random.default_rng(3)
    corrections = np.clip(np.cumsum(random.normal(0.0, 1e-4, 300)), -1e-3, 1e-3)
    for tone_hz in (1_000.0, 10_000.0, 20_000.0):
        resampler.reset()
        cuts = [(int(random.integers(0, 129)), float(correction)) for correction in corrections]
        out, times = pulled(resampler, sine(48_000, tone_hz, 60_000), cuts)
        angle = 2.0 * np.pi * tone_hz / 48_000 * times
        assert noise_db(out[0, 100:].astype(np.float64), angle[100:]) < -100.0


def test_a_drift_of_five_ppm_is_followed() -> None:
    resampler = FractionalResampler(48_000, 48_000, 1, 1000, "fast")
    consumed = 0
    for _ in range(1000):
        needed = resampler.needed(1000, 5e-6)
        resampler.process(np.zeros((1, needed), np.float32), 1000, 5e-6)
        consumed += needed
    assert abs(consumed - resampler.lookahead_frames - 1_000_005) <= 1


def test_needed_is_least() -> None:
    resampler = FractionalResampler(44_100, 48_000, 1, 100)
    half = resampler.lookahead_frames
    assert resampler.needed(0) == 0
    assert resampler.needed(1) == half + 1
    assert resampler.needed(100) == half + 1 + (99 * 44_100) // 48_000


def test_reset_reruns_bit_equal() -> None:
    resampler = FractionalResampler(48_000, 16_000, 2, 128)
    signal = noise(2, 4000)
    first, _ = pulled(resampler, signal, [(128, 1e-4)] * 6)
    resampler.reset()
    again, _ = pulled(resampler, signal, [(128, 1e-4)] * 6)
    assert np.array_equal(first, again)


def test_allocates_nothing() -> None:
    resampler = FractionalResampler(48_000, 48_000, 2, 128)
    signal, out = noise(2, 400), np.zeros((2, 128), np.float32)
    needed, step = resampler.needed(128), resampler.step(0.0)
    before = rtsys.get_allocation_stats()
    run_fractional(resampler.address, signal.ctypes.data, needed, out.ctypes.data, 128, step)
    assert rtsys.get_allocation_stats() == before


def test_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ParameterError, match=r"block_in has 5 frames; needed\(8\) says"):
        FractionalResampler(48_000, 48_000, 1, 64).process(noise(1, 5), 8)
    with pytest.raises(ParameterError, match="frames_out is 65; allowed: 0 to 64"):
        FractionalResampler(48_000, 48_000, 1, 64).process(noise(1, 5), 65)
    with pytest.raises(ParameterError, match="max_out_frames is 0; allowed: 1 to"):
        FractionalResampler(48_000, 48_000, 1, 0)
    with pytest.raises(ParameterError, match=r"correction is 0.02; allowed: -0.01 to 0.01"):
        FractionalResampler(48_000, 48_000, 1, 64).step(0.02)
    with pytest.raises(ParameterError, match="correction is nan"):
        FractionalResampler(48_000, 48_000, 1, 64).step(math.nan)
