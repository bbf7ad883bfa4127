from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.compressor import compressed, static_output_db
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.compressor import Compressor

RATE_HZ = 48_000
FRAMES = 48_000


def prepared(channels: int = 1, /, **parameters: object) -> Compressor:
    node = Compressor(**parameters)
    node.prepare(ProcessSpec(RATE_HZ, FRAMES, channels))
    return node


def processed(node: Compressor, signal: Block) -> Block:
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


def numbers(node: Compressor) -> dict[str, float]:
    return {name: float(value) for name, value in node.parameters.items()}


@given(
    level_db=st.floats(-60.0, 0.0),
    threshold_db=st.floats(-40.0, -3.0),
    ratio=st.floats(1.0, 20.0),
    knee_db=st.just(0.0) | st.floats(0.1, 24.0),
    makeup_db=st.floats(-6.0, 12.0),
)
def test_static_curve_of_a_sine(
    level_db: float, threshold_db: float, ratio: float, knee_db: float, makeup_db: float
) -> None:
    curve = {"threshold_db": threshold_db, "ratio": ratio, "knee_db": knee_db}
    node = prepared(**curve, makeup_db=makeup_db, attack_ms=5.0, release_ms=500.0)
    tone = 10 ** (level_db / 20) * np.sin(2 * np.pi * 997 * np.arange(FRAMES) / RATE_HZ)
    out = processed(node, tone.astype(np.float32)[None])[0, FRAMES // 2 :]
    measured_db = 10 * np.log10(2 * np.mean(out.astype(np.float64) ** 2))
    assert measured_db == pytest.approx(float(static_output_db(level_db, **curve)) + makeup_db, abs=0.1)


@given(
    seed=st.integers(0, 2**32 - 1),
    threshold_db=st.floats(-60.0, 0.0),
    ratio=st.floats(1.0, 20.0),
    knee_db=st.sampled_from([0.0, 6.0, 24.0]),
    attack_ms=st.floats(0.1, 50.0),
    release_ms=st.floats(5.0, 500.0),
    makeup_db=st.floats(-24.0, 36.0),
    mix_ratio=st.floats(0.0, 1.0),
)
def test_twin(seed: int, **parameters: float) -> None:
    rng = np.random.default_rng(seed)
    swell = 10 ** (rng.uniform(-3, 0, 40).repeat(100))
    signal = (swell * rng.uniform(-1, 1, (2, 4_000))).astype(np.float32)
    node = prepared(2, **parameters)
    np.testing.assert_allclose(processed(node, signal), compressed(signal, numbers(node), RATE_HZ), rtol=1e-5)


@pytest.mark.parametrize(("attack_ms", "release_ms"), [(1.0, 50.0), (20.0, 400.0)])
def test_times_mean_what_they_say(attack_ms: float, release_ms: float) -> None:
    level = np.full((1, FRAMES), 0.01, np.float32)
    level[:, 4_800:24_000] = 0.9
    curve = {"threshold_db": -20.0, "ratio": 4.0, "knee_db": 0.0}
    out = processed(prepared(**curve, attack_ms=attack_ms, release_ms=release_ms), level)
    reduction_db = -20 * np.log10(out[0].astype(np.float64) / level[0])
    full_db = reduction_db[23_999]
    assert full_db == pytest.approx(0.75 * (20 + 20 * np.log10(0.9)), abs=0.01)
    covered = 1 - np.exp(-1)
    assert reduction_db[4_800 + round(attack_ms * 48) - 1] == pytest.approx(covered * full_db, abs=0.01)
    # The release's pole, smoothed by the attack's: the step response of two poles in a row.
    time_ms = np.arange(1, 20_000) / 48
    slow, fast = np.exp(-time_ms / release_ms), np.exp(-time_ms / attack_ms)
    expected = full_db * (release_ms * slow - attack_ms * fast) / (release_ms - attack_ms)
    np.testing.assert_allclose(reduction_db[24_000 : 24_000 + expected.size], expected, atol=0.05)


def test_channels_share_the_reduction(rng: np.random.Generator) -> None:
    signal = (rng.uniform(-1, 1, (2, 9_600)) * [[1.0], [0.01]]).astype(np.float32)
    out = processed(prepared(2, threshold_db=-30.0), signal)
    np.testing.assert_allclose(out[1] / signal[1], out[0] / signal[0], rtol=1e-5)
    assert np.median(out[0] / signal[0]) < 0.5


def test_dry_share_is_the_input(rng: np.random.Generator) -> None:
    signal = rng.uniform(-1, 1, (2, 4_800)).astype(np.float32)
    np.testing.assert_array_equal(processed(prepared(2, threshold_db=-50.0, mix_ratio=0.0), signal), signal)


def test_below_the_knee_the_bits_return_after_release(rng: np.random.Generator) -> None:
    node = prepared(threshold_db=-20.0, ratio=10.0, release_ms=20.0)
    processed(node, np.ones((1, 4_800), np.float32))
    soft = rng.uniform(-0.05, 0.05, (1, FRAMES)).astype(np.float32)
    processed(node, soft)
    np.testing.assert_array_equal(processed(node, soft), soft)


def test_makeup_and_threshold_move_without_a_step() -> None:
    node = prepared(threshold_db=0.0, attack_ms=0.1)
    level = np.full((1, 4_800), 0.5, np.float32)
    pieces = [processed(node, level)]
    for change in ({"makeup_db": 12.0}, {"threshold_db": -40.0, "ratio": 20.0}, {"mix_ratio": 0.0}):
        node.update(**change)
        pieces.append(processed(node, level))
    out = np.concatenate(pieces, axis=1)[0]
    assert np.abs(np.diff(20 * np.log10(out))).max() < 0.3  # dB a frame; the largest change is 48 dB in 480 frames
    assert np.ptp(20 * np.log10(out)) > 20
