from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.deesser import deessed
from reference.filter import filtered, response_db
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.deesser import Deesser

RATE_HZ = 48_000
FRAMES = 48_000
HISS_BAND = [("highpass", 6_500.0, 0.7071, 0.0)] * 2


def prepared(channels: int = 1, /, **parameters: object) -> Deesser:
    node = Deesser(**parameters)
    node.prepare(ProcessSpec(RATE_HZ, FRAMES, channels))
    return node


def processed(node: Deesser, signal: Block) -> Block:
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


def numbers(node: Deesser) -> dict[str, float]:
    return {name: float(value) for name, value in node.parameters.items()}


def vowel(loudness: float) -> Block:
    """Pulses of 120 Hz through the formants of an /a/: no sibilance, but energy up to the top."""
    pulses = np.zeros(FRAMES)
    pulses[::400] = 1.0
    tract = filtered(pulses, [("lowpass", 500.0, 0.7, 0), ("peak", 700, 5, 20), ("peak", 1200, 6, 18)], RATE_HZ)
    return np.asarray([loudness * tract / np.abs(tract).max()], np.float32)


def hiss(loudness: float, rng: np.random.Generator) -> Block:
    noise = filtered(rng.standard_normal(FRAMES), HISS_BAND, RATE_HZ)
    return np.asarray([loudness * noise / np.abs(noise).max()], np.float32)


def rms_db(signal: npt.NDArray[np.floating]) -> float:
    return float(10 * np.log10(np.mean(signal.astype(np.float64) ** 2)))


@given(
    seed=st.integers(0, 2**32 - 1),
    frequency_hz=st.floats(2_000.0, 12_000.0),
    threshold_db=st.floats(-80.0, 0.0),
    ratio=st.floats(1.0, 20.0),
    max_reduction_db=st.floats(0.0, 24.0),
)
def test_twin(seed: int, **parameters: float) -> None:
    rng = np.random.default_rng(seed)
    swell = 10 ** rng.uniform(-3, 0, 4).repeat(150)
    signal = (swell * rng.uniform(-1, 1, (2, 600))).astype(np.float32)
    node = prepared(2, **parameters)
    np.testing.assert_allclose(processed(node, signal), deessed(signal, numbers(node), RATE_HZ), rtol=0, atol=2e-6)


@pytest.mark.parametrize("loudness", [0.01, 0.1, 1.0])
def test_a_vowel_passes_bit_for_bit(loudness: float) -> None:
    signal = vowel(loudness)
    node = prepared(threshold_db=-60.0)
    onset = processed(node, signal)
    assert np.abs(onset - signal).max() < 0.02 * loudness  # the first pulse comes as a click
    np.testing.assert_array_equal(processed(node, signal), signal)


def test_hiss_is_turned_down_by_the_ratio_and_no_more_than_allowed(rng: np.random.Generator) -> None:
    signal = hiss(0.5, rng)
    out = processed(prepared(threshold_db=-60.0, ratio=20.0, max_reduction_db=10.0, frequency_hz=3_000.0), signal)
    assert rms_db(out[:, 4_800:]) - rms_db(signal[:, 4_800:]) == pytest.approx(-10.0, abs=0.5)
    square = np.sign(np.sin(2 * np.pi * 12_000 * (np.arange(FRAMES) + 0.5) / RATE_HZ)).astype(np.float32)[None]
    out = processed(prepared(threshold_db=-20.0, ratio=2.0, max_reduction_db=24.0, frequency_hz=2_000.0), square)
    high_db = response_db([("highpass", 2_000.0, 0.7071, 0)], [12_000.0], RATE_HZ)[0]
    reduction_db = rms_db(square) - rms_db(out[:, 4_800:])
    assert reduction_db == pytest.approx((rms_db(square) + high_db + 20) / 2, abs=0.1)


def test_only_the_treble_of_a_hissed_vowel_goes(rng: np.random.Generator) -> None:
    signal = vowel(0.05) + hiss(0.5, rng)
    out = processed(prepared(threshold_db=-50.0, ratio=8.0, max_reduction_db=12.0), signal)
    low, high = [("lowpass", 1_500.0, 0.7071, 0.0)] * 2, [("highpass", 10_000.0, 0.7071, 0.0)] * 2
    before, after = (
        [rms_db(filtered(each, band, RATE_HZ)[:, 4_800:]) for band in (low, high)] for each in (signal, out)
    )
    assert after[0] - before[0] == pytest.approx(0.0, abs=0.3)
    assert -12.5 < after[1] - before[1] < -9.0


def test_below_the_threshold_hiss_passes_bit_for_bit(rng: np.random.Generator) -> None:
    signal = hiss(0.009, rng)
    np.testing.assert_array_equal(processed(prepared(threshold_db=-48.0), signal), signal)
