from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx_dsp.errors import ParameterError
from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.nodes.delay_line import DelayLine


@given(delay=st.integers(0, 900), sizes=st.lists(st.integers(0, 300), min_size=1, max_size=12))
def test_it_delays_every_bit_pattern_exactly(delay: int, sizes: list[int]) -> None:
    node = DelayLine(delay_samples=delay)
    node.prepare(ProcessSpec(48_000, 300, 3))
    frames = sum(sizes)
    bits = np.random.default_rng(delay).integers(0, 1 << 32, (3, frames), dtype=np.uint32)
    signal = bits.view(np.float32)  # includes NaN, infinities and denormals
    out = []
    for piece in np.split(signal, np.cumsum(sizes)[:-1], axis=1):
        result = piece.copy()
        node.process(result, result)
        out.append(result)
    expected = np.concatenate([np.zeros((3, delay), np.uint32), bits], axis=1)[:, :frames]
    np.testing.assert_array_equal(np.concatenate(out, axis=1).view(np.uint32), expected)


def test_latency_is_the_delay_and_it_cannot_change_live() -> None:
    node = DelayLine(delay_samples=480)
    node.prepare(ProcessSpec(48_000, 64, 1))
    assert (node.latency_samples, node.tail_samples) == (480, 480)
    with pytest.raises(ParameterError, match="delay_samples cannot change"):
        node.update(delay_samples=481)


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ParameterError, match="whole number"):
        DelayLine(delay_samples=0.5)
