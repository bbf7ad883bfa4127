from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.gate import gate
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.gate import Gate

RATE_HZ = 48_000
FRAMES = 24_000


def prepared(channels: int = 1, /, **parameters: object) -> Gate:
    node = Gate(**parameters)
    node.prepare(ProcessSpec(RATE_HZ, FRAMES, channels))
    return node


def processed(node: Gate, signal: Block) -> Block:
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


def numbers(node: Gate) -> dict[str, float]:
    return {name: float(value) for name, value in node.parameters.items()}


def loud_between(start: int, stop: int, soft: float = 1e-3) -> Block:
    """A steady soft level with a loud stretch, so that out / in is the gain."""
    signal = np.full((1, FRAMES), soft, np.float32)
    signal[:, start:stop] = 0.5
    return signal


def gain_db(node: Gate, signal: Block) -> npt.NDArray[np.float64]:
    delay = node.latency_samples
    out = processed(node, signal)[0, delay:].astype(np.float64)
    return np.asarray(20 * np.log10(out / signal[0, : signal.shape[1] - delay]))


@given(
    seed=st.integers(0, 2**32 - 1),
    threshold_db=st.floats(-60.0, 0.0),
    hysteresis_db=st.floats(0.0, 24.0),
    attack_ms=st.floats(0.1, 20.0),
    hold_ms=st.floats(0.0, 20.0),
    release_ms=st.floats(1.0, 50.0),
    range_db=st.floats(0.0, 120.0),
    lookahead_ms=st.floats(0.0, 5.0),
)
def test_twin(seed: int, **parameters: float) -> None:
    rng = np.random.default_rng(seed)
    swell = 10 ** (rng.uniform(-3, 0, 40).repeat(150))
    signal = (swell * rng.uniform(-1, 1, (2, 6_000))).astype(np.float32)
    node = prepared(2, **parameters)
    expected = gate(signal, numbers(node), RATE_HZ)
    np.testing.assert_allclose(processed(node, signal), expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("lookahead_ms", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("attack_ms", [0.5, 10.0])
def test_times_mean_what_they_say(lookahead_ms: float, attack_ms: float) -> None:
    node = prepared(lookahead_ms=lookahead_ms, attack_ms=attack_ms, hold_ms=50.0, release_ms=100.0, range_db=40.0)
    start, stop = 4_800, 9_600
    gain = gain_db(node, loud_between(start, stop))
    ahead, attack, hold, release = (round(ms * 48) for ms in (lookahead_ms, attack_ms, 50, 100))
    opening = start - ahead  # counted in the delayed sound
    assert gain[: max(opening, 0)] == pytest.approx(-40.0, abs=1e-4)
    middle = opening + attack // 2 - 1
    assert gain[middle] == pytest.approx(-20.0, abs=1e-3)
    assert gain[opening + attack - 1 : stop + hold] == pytest.approx(0.0, abs=1e-4)
    falling = stop + hold
    assert gain[falling] < -1e-3
    assert gain[falling + release // 2 - 1] == pytest.approx(-20.0, abs=1e-3)
    assert gain[falling + release :] == pytest.approx(-40.0, abs=1e-4)


def test_onset_is_whole_when_the_attack_fits_into_the_lookahead() -> None:
    node = prepared(attack_ms=1.0, lookahead_ms=1.0)
    signal = loud_between(5_000, 9_000, soft=0.0)
    out = processed(node, signal)
    delay = node.latency_samples
    assert delay == 48
    np.testing.assert_array_equal(out[:, 5_000 + delay : 9_000 + delay], signal[:, 5_000:9_000])


def test_hysteresis_keeps_open_but_does_not_open() -> None:
    between = 10 ** (-43 / 20)
    node = prepared(threshold_db=-40.0, hysteresis_db=6.0, hold_ms=5.0, release_ms=5.0)
    assert gain_db(node, np.full((1, FRAMES), between, np.float32))[-1] == pytest.approx(-60.0, abs=1e-4)
    node.reset()
    assert gain_db(node, loud_between(1_000, 1_010, soft=between))[-1] == pytest.approx(0.0, abs=1e-4)
    node.update(hysteresis_db=1.0)
    node.reset()
    assert gain_db(node, loud_between(1_000, 1_010, soft=between))[-1] == pytest.approx(-60.0, abs=1e-4)


def test_one_loud_channel_opens_all() -> None:
    signal = np.concatenate([loud_between(2_000, 20_000), np.full((1, FRAMES), 1e-3, np.float32)])
    out = processed(prepared(2, hold_ms=0.0), signal)
    np.testing.assert_array_equal(out[1, 3_000:19_000], signal[1, 3_000:19_000])
    assert np.abs(out[1, :1_900]).max() == pytest.approx(1e-6, rel=1e-3)


def test_live_changes_move_the_gain_without_a_step() -> None:
    node = prepared(range_db=60.0, release_ms=20.0)
    signal = np.full((1, 9_600), 1e-3, np.float32)
    pieces = [processed(node, signal)]
    for change in ({"range_db": 0.0}, {"range_db": 90.0}, {"threshold_db": -120.0}, {"threshold_db": 0.0}):
        node.update(**change)
        pieces.append(processed(node, signal))
    out = np.concatenate(pieces, axis=1)[0, node.latency_samples :]
    assert out.max() == np.float32(1e-3)
    assert np.abs(np.diff(out)).max() < 0.25 * 1e-3  # 90 dB in 1 ms: 1.9 dB a frame
