from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.tremolo import tremolo
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.tremolo import Tremolo

RATE_HZ = 48_000


def prepared(**parameters: object) -> Tremolo:
    node = Tremolo(**parameters)
    node.prepare(ProcessSpec(RATE_HZ, RATE_HZ, 1))
    return node


def processed(node: Tremolo, signal: Block) -> Block:
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


@given(rate=st.floats(0.1, 50.0), depth=st.floats(0.0, 1.0))
def test_it_equals_the_reference(rate: float, depth: float) -> None:
    signal = np.random.default_rng(8).uniform(-1, 1, (1, 9_600)).astype(np.float32)
    out = processed(prepared(rate_hz=rate, depth_ratio=depth), signal)
    np.testing.assert_allclose(out[0], tremolo(signal[0], rate, depth, RATE_HZ), rtol=0, atol=1e-6)


def test_half_depth_swings_between_0_and_minus_6_db_at_the_rate() -> None:
    level = processed(prepared(rate_hz=5.0, depth_ratio=0.5), np.ones((1, RATE_HZ), np.float32))[0]
    assert 20 * np.log10([level.max(), level.min()]) == pytest.approx([0.0, -6.02], abs=0.01)
    assert np.abs(np.fft.rfft(level))[1:].argmax() + 1 == 5


def test_changes_do_not_click() -> None:
    node = prepared(rate_hz=3.0, depth_ratio=0.2)
    out = []
    for change in ({"rate_hz": 3.0}, {"rate_hz": 50.0}, {"depth_ratio": 1.0}, {"depth_ratio": 0.0}):
        node.update(**change)
        out.append(processed(node, np.ones((1, 5_000), np.float32))[0])
    steepest = np.pi * 50 / RATE_HZ + 1 / 480  # the fullest swing and the ramp
    assert np.abs(np.diff(np.concatenate(out))).max() <= steepest
    np.testing.assert_array_equal(out[-1][600:], 1.0)
