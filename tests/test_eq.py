from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from reference.eq import bands_of
from reference.filter import filtered, response_db
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.eq import Eq

RATE_HZ = 48_000
FRAMES = 1 << 16
GAINS = ("low_shelf_gain_db", "peak1_gain_db", "peak2_gain_db", "peak3_gain_db", "high_shelf_gain_db")


def prepared(channels: int = 1, /, **parameters: object) -> Eq:
    node = Eq(**parameters)
    node.prepare(ProcessSpec(RATE_HZ, FRAMES, channels))
    return node


def processed(node: Eq, signal: Block) -> Block:
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


def numbers(node: Eq) -> dict[str, float]:
    return {name: float(value) for name, value in node.parameters.items()}


@given(
    gains_db=st.lists(st.floats(-24.0, 24.0), min_size=5, max_size=5),
    low_cut_hz=st.sampled_from([10.0, 20.0, 80.0, 2_000.0]),
    high_cut_hz=st.sampled_from([1_000.0, 12_000.0, 20_000.0]),
    peak2_hz=st.floats(60.0, 20_000.0),
    peak2_q=st.floats(0.3, 8.0),
)
def test_response_is_the_product_of_the_bands(
    gains_db: list[float], low_cut_hz: float, high_cut_hz: float, peak2_hz: float, peak2_q: float
) -> None:
    gains = dict(zip(GAINS, gains_db, strict=True))
    node = prepared(**gains, low_cut_hz=low_cut_hz, high_cut_hz=high_cut_hz, peak2_hz=peak2_hz, peak2_q=peak2_q)
    assume(node.tail_samples < FRAMES)
    impulse = np.eye(1, FRAMES, dtype=np.float32)
    measured = 20 * np.log10(np.abs(np.fft.rfft(processed(node, impulse)[0].astype(np.float64))) + 1e-12)
    at_hz = np.fft.rfftfreq(FRAMES, 1 / RATE_HZ)
    theory = response_db(bands_of(numbers(node)), at_hz, RATE_HZ)
    audible = (theory > theory.max() - 60) & (at_hz > 1)
    assert np.abs(measured - theory)[audible].max() < 0.1


def test_twin(rng: np.random.Generator) -> None:
    signal = rng.uniform(-0.5, 0.5, (2, 6_000)).astype(np.float32)
    node = prepared(2, low_cut_hz=90.0, peak1_gain_db=7.0, peak3_gain_db=-9.0, high_shelf_gain_db=4.0)
    expected = filtered(signal, bands_of(numbers(node)), RATE_HZ)
    np.testing.assert_allclose(processed(node, signal), expected, rtol=0, atol=2e-6)


def test_bands_that_became_flat_return_the_bits_again(rng: np.random.Generator) -> None:
    signal = rng.uniform(-1, 1, (2, 4_800)).astype(np.float32)
    node = prepared(2, low_cut_hz=300.0, peak1_gain_db=12.0, high_cut_hz=3_000.0)
    assert np.abs(processed(node, signal) - signal).max() > 0.1
    node.update(low_cut_hz=10.0, peak1_gain_db=0.0, high_cut_hz=20_000.0)
    processed(node, signal[:, :480].copy())
    np.testing.assert_array_equal(processed(node, signal), signal)


def test_cuts_fade_in_without_a_click() -> None:
    tone = (0.5 * np.sin(2 * np.pi * 300 * np.arange(20_000) / RATE_HZ)).astype(np.float32)[None]
    node = prepared()
    first = processed(node, tone[:, :10_040].copy())
    node.update(low_cut_hz=1_000.0, high_cut_hz=4_000.0)
    out = np.concatenate([first, processed(node, tone[:, 10_040:].copy())], axis=1)
    treble = filtered(out, [("highpass", 8_000.0, 0.7071, 0)] * 3, RATE_HZ)[:, 500:]
    assert np.abs(treble).max() < 5e-4  # 60 dB below the tone


@given(gain_db=st.floats(-24.0, 24.0), q=st.floats(0.3, 20.0), low_cut_hz=st.floats(30.0, 500.0))
def test_tail_covers_the_whole_cascade(gain_db: float, q: float, low_cut_hz: float) -> None:
    node = prepared(low_cut_hz=low_cut_hz, peak1_q=q, peak1_gain_db=gain_db, low_shelf_gain_db=gain_db)
    response = filtered(np.eye(1, node.tail_samples + FRAMES)[0], bands_of(numbers(node)), RATE_HZ)
    assert np.abs(response[node.tail_samples + 1 :]).sum() <= 1e-6
