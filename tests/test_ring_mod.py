from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.ring_mod import ring_mod
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.ring_mod import RingMod

RATE_HZ = 48_000


def prepared(**parameters: object) -> RingMod:
    node = RingMod(**parameters)
    node.prepare(ProcessSpec(RATE_HZ, RATE_HZ, 1))
    return node


def processed(node: RingMod, signal: Block) -> Block:
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


@given(carrier_hz=st.floats(1.0, 3_000.0), mix=st.floats(0.0, 1.0))
def test_it_equals_the_reference(carrier_hz: float, mix: float) -> None:
    signal = np.random.default_rng(7).uniform(-1, 1, (1, 4_800)).astype(np.float32)
    out = processed(prepared(carrier_hz=carrier_hz, mix_ratio=mix), signal)
    np.testing.assert_allclose(out[0], ring_mod(signal[0], carrier_hz, mix, RATE_HZ), rtol=0, atol=1e-6)


def test_a_sine_becomes_sum_and_difference_6_db_down() -> None:
    tone = np.sin(2 * np.pi * 1_000 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)[None]
    spectrum = np.abs(np.fft.rfft(processed(prepared(carrier_hz=300.0), tone)[0])) * 2 / RATE_HZ
    np.testing.assert_allclose(20 * np.log10(spectrum[[700, 1_300]]), -6.02, atol=0.01)
    spectrum[[700, 1_300]] = 0.0
    assert spectrum.max() < 1e-5


@given(first_hz=st.floats(1.0, 3_000.0), second_hz=st.floats(1.0, 3_000.0))
def test_the_carriers_phase_never_jumps(first_hz: float, second_hz: float) -> None:
    node = prepared(carrier_hz=first_hz)
    ones = np.ones((1, 1_000), np.float32)
    before = processed(node, ones)
    node.update(carrier_hz=second_hz)
    carrier = np.concatenate([before, processed(node, ones)], axis=1)[0]
    steepest = 2 * np.pi * max(first_hz, second_hz) / RATE_HZ
    assert np.abs(np.diff(carrier)).max() <= steepest + 1e-6
    late = 2 * np.pi * second_hz / RATE_HZ  # after the ramp each sample follows x[n+1] + x[n-1] = 2 cos(w) x[n]
    tail = carrier[1_500:].astype(np.float64)
    np.testing.assert_allclose(tail[2:] + tail[:-2], 2 * np.cos(late) * tail[1:-1], rtol=0, atol=1e-6)


def test_a_new_mix_arrives_in_10_ms() -> None:
    node = prepared(carrier_hz=100.0, mix_ratio=0.0)
    node.update(mix_ratio=1.0)
    out = processed(node, np.ones((1, 2_000), np.float32))[0]
    assert np.abs(np.diff(out)).max() < 0.03
    assert out[1_200] == pytest.approx(np.sin(2 * np.pi * 100 * 1_201 / RATE_HZ), abs=1e-5)
