from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.echo import echo
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.echo import FADE_MS, Echo

RATE_HZ = 48_000


def prepared(**parameters: object) -> Echo:
    node = Echo(**parameters)
    node.prepare(ProcessSpec(RATE_HZ, 48_000, 1))
    return node


def processed(node: Echo, signal: Block) -> Block:
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


@given(
    time_ms=st.floats(1.0, 60.0),
    feedback=st.floats(0.0, 0.95),
    cutoff_hz=st.floats(500.0, 20_000.0),
    mix=st.floats(0.0, 1.0),
)
def test_it_follows_the_difference_equation(time_ms: float, feedback: float, cutoff_hz: float, mix: float) -> None:
    signal = np.random.default_rng(5).uniform(-0.5, 0.5, (1, 6_000)).astype(np.float32)
    node = prepared(time_ms=time_ms, feedback_ratio=feedback, cutoff_hz=cutoff_hz, mix_ratio=mix)
    damping = 1 - np.exp(-2 * np.pi * cutoff_hz / RATE_HZ)
    expected = echo(signal[0].astype(np.float64), round(time_ms * 48), feedback, damping, mix)
    np.testing.assert_allclose(processed(node, signal)[0], expected, rtol=0, atol=3e-6)


def test_the_lowpass_in_the_loop_is_3_db_down_near_its_cutoff() -> None:
    impulse = np.zeros((1, 4_096), np.float32)
    impulse[0, 0] = 1.0
    node = prepared(time_ms=20.0, feedback_ratio=0.5, cutoff_hz=2_000.0, mix_ratio=1.0)
    second_repeat = processed(node, impulse)[0, 1_920:2_880]
    spectrum = np.abs(np.fft.rfft(second_repeat, 48_000))
    assert 20 * np.log10(spectrum[2_000] / spectrum[0]) == pytest.approx(-3.0, abs=0.3)
    assert spectrum[0] == pytest.approx(0.5, abs=1e-3)


def test_a_new_time_arrives_without_a_click_and_exactly() -> None:
    tone = (0.5 * np.sin(2 * np.pi * 200 * np.arange(48_000) / RATE_HZ)).astype(np.float32)[None]
    node = prepared(time_ms=100.0, feedback_ratio=0.0, mix_ratio=1.0)
    parts = []
    for index, time_ms in enumerate([100.0, 37.0, 41.0, 900.0, 12.5, 12.5]):
        node.update(time_ms=time_ms)
        parts.append(processed(node, np.ascontiguousarray(tone[:, index * 8_000 : (index + 1) * 8_000])))
    out = np.concatenate(parts, axis=1)[0]
    steepest = 0.5 * 2 * np.pi * 200 / RATE_HZ
    fade_slope = 1.0 / (FADE_MS * 48)
    assert np.abs(np.diff(out[4_801:])).max() < steepest + fade_slope + 1e-6
    np.testing.assert_array_equal(out[-7_000:], tone[0, -7_000 - 600 : -600])


def test_a_change_during_a_fade_waits_for_its_end() -> None:
    node = prepared(time_ms=10.0, feedback_ratio=0.0, mix_ratio=1.0)
    ramp = np.arange(12_000, dtype=np.float32)[None]
    processed(node, np.ascontiguousarray(ramp[:, :4_000]))
    node.update(time_ms=20.0)
    processed(node, np.ascontiguousarray(ramp[:, 4_000:4_100]))
    node.update(time_ms=5.0)
    out = processed(node, np.ascontiguousarray(ramp[:, 4_100:]))
    assert out[0, 1_919 - 100] == pytest.approx(4_000 + 1_919 - 960, abs=0.01)
    assert out[0, -1] == 11_999 - 240


def test_the_tail_is_what_the_decay_needs_and_is_capped() -> None:
    one_repeat = prepared(time_ms=100.0, feedback_ratio=0.0)
    assert one_repeat.tail_samples == 4_800
    assert prepared(time_ms=2_000.0, feedback_ratio=0.95).tail_samples == 60 * RATE_HZ
    node = prepared(time_ms=5.0, feedback_ratio=0.7, cutoff_hz=20_000.0, mix_ratio=1.0)
    processed(node, np.ones((1, 24_000), np.float32))
    out = np.abs(processed(node, np.zeros((1, 48_000), np.float32))[0])
    assert out[node.tail_samples :].max() <= 1e-6 < out[node.tail_samples // 2 :].max()
