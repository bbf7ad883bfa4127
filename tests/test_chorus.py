from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.chorus import chorus
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.chorus import Chorus

RATE_HZ = 48_000


def prepared(channels: int = 1, **parameters: object) -> Chorus:
    node = Chorus(**parameters)
    node.prepare(ProcessSpec(RATE_HZ, 2 * RATE_HZ, channels))
    return node


def processed(node: Chorus, signal: Block) -> Block:
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


def sine(frequency_hz: float, frames: int) -> Block:
    return np.sin(2 * np.pi * frequency_hz * np.arange(frames) / RATE_HZ).astype(np.float32)[None]


@given(
    rate=st.floats(0.05, 10.0), depth_ms=st.floats(0.0, 10.0), delay_ms=st.floats(0.5, 30.0), mix=st.floats(0.0, 1.0)
)
def test_it_equals_the_reference(rate: float, depth_ms: float, delay_ms: float, mix: float) -> None:
    signal = np.random.default_rng(10).uniform(-1, 1, (1, 2_400)).astype(np.float32)
    out = processed(prepared(rate_hz=rate, depth_ms=depth_ms, delay_ms=delay_ms, mix_ratio=mix), signal)
    np.testing.assert_allclose(out[0], chorus(signal[0], rate, depth_ms, delay_ms, mix, RATE_HZ), rtol=0, atol=1e-5)


def test_a_vibratos_pitch_swings_as_far_as_the_formula_says() -> None:
    out = processed(prepared(rate_hz=5.0, depth_ms=2.0, mix_ratio=1.0), sine(1_000.0, 2 * RATE_HZ))[0, RATE_HZ:]
    # One second holds whole swings and whole periods, so the transform has no edge.
    spectrum = np.fft.fft(out.astype(np.float64))
    spectrum[len(out) // 2 :] = 0.0  # what is left is the analytic signal
    frequency_hz = np.diff(np.unwrap(np.angle(np.fft.ifft(spectrum)))) * RATE_HZ / (2 * np.pi)
    swing = np.pi * 5.0 * 2.0e-3
    assert frequency_hz.max() == pytest.approx(1_000 * (1 + swing), rel=5e-4)
    assert frequency_hz.min() == pytest.approx(1_000 * (1 - swing), rel=5e-4)


def test_a_whole_delay_without_depth_is_exact() -> None:
    signal = sine(333.0, 5_000)
    out = processed(prepared(depth_ms=0.0, delay_ms=10.0, mix_ratio=1.0), signal)
    np.testing.assert_array_equal(out[:, 480:], signal[:, :-480])


def test_channels_swing_a_quarter_apart() -> None:
    # 4 swings per second: a quarter lasts 3000 samples, 30 whole periods of a 480 Hz sine.
    signal = np.repeat(sine(480.0, RATE_HZ), 2, axis=0)
    out = processed(prepared(2, rate_hz=4.0, depth_ms=5.0, mix_ratio=1.0), signal)
    np.testing.assert_allclose(out[1, 3_000:-3_000], out[0, 6_000:], rtol=0, atol=1e-5)
    assert np.abs(out[1, 3_000:] - out[0, 3_000:]).max() > 0.5


def test_changes_do_not_click() -> None:
    tone = sine(200.0, 4 * 16_000)
    node = prepared(rate_hz=0.05, depth_ms=0.0, mix_ratio=1.0)
    out = []
    for index, change in enumerate(({}, {"depth_ms": 10.0}, {"rate_hz": 10.0}, {"mix_ratio": 0.2})):
        node.update(**change)
        out.append(processed(node, np.ascontiguousarray(tone[:, index * 16_000 : (index + 1) * 16_000]))[0])
    fastest = 1 + np.pi * 10.0 * 10.0e-3  # the delay's own slope bends the pitch
    steepest = 2 * np.pi * 200 / RATE_HZ * fastest + 2 / 480
    assert np.abs(np.diff(np.concatenate(out)[1_000:])).max() <= steepest
