from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.crush import crush
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.crush import Crush


def prepared(**parameters: object) -> Crush:
    node = Crush(**parameters)
    node.prepare(ProcessSpec(48_000, 48_000, 1))
    return node


def processed(node: Crush, signal: Block) -> Block:
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


@given(bits=st.integers(1, 20), hold=st.integers(1, 64))
def test_it_equals_the_reference(bits: int, hold: int) -> None:
    signal = np.random.default_rng(9).uniform(-1, 1, (1, 3_000)).astype(np.float32)
    out = processed(prepared(bits=bits, downsample_ratio=hold), signal)
    np.testing.assert_allclose(out[0], crush(signal[0], bits, hold), rtol=0, atol=1e-6)


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_noise_of_rounding_is_6_db_per_bit(bits: int, rng: np.random.Generator) -> None:
    signal = rng.uniform(-1, 1, (1, 48_000)).astype(np.float32)
    error = processed(prepared(bits=bits, downsample_ratio=1), signal) - signal
    assert 10 * np.log10((error.astype(np.float64) ** 2).mean()) == pytest.approx(-6.02 * (bits - 1) - 10.79, abs=0.1)


def test_silence_stays_silent_and_the_last_value_ends_with_the_tail() -> None:
    node = prepared(bits=2.0, downsample_ratio=7)
    processed(node, np.ones((1, 701), np.float32))  # ends on the first sample of a held value
    out = processed(node, np.zeros((1, 100), np.float32))[0]
    assert node.tail_samples == 6
    assert out[5] == 1.0
    np.testing.assert_array_equal(out[6:], 0.0)


def test_a_new_ratio_counts_from_the_next_kept_sample() -> None:
    node = prepared(bits=24.0, downsample_ratio=10)
    count = np.arange(100, dtype=np.float32)[None] / 128
    processed(node, np.ascontiguousarray(count[:, :15]))
    node.update(downsample_ratio=3)
    out = np.rint(processed(node, np.ascontiguousarray(count[:, 15:30]))[0] * 128).astype(int)
    assert out.tolist() == [10, 16, 16, 16, 19, 19, 19, 22, 22, 22, 25, 25, 25, 28, 28]
