from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reference.filter import filtered, response_db
from vcfx_dsp.core.svf import TYPES
from vcfx_dsp.errors import ParameterError
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.filter import Filter

RATE_HZ = 48_000
FRAMES = 1 << 16


def prepared(rate_hz: int = RATE_HZ, channels: int = 1, **parameters: object) -> Filter:
    node = Filter(**parameters)
    node.prepare(ProcessSpec(rate_hz, FRAMES, channels))
    return node


def processed(node: Filter, signal: Block) -> Block:
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


def impulse() -> Block:
    signal = np.zeros((1, FRAMES), np.float32)
    signal[0, 0] = 1.0
    return signal


@given(
    band_type=st.sampled_from(TYPES),
    cutoff_hz=st.floats(20.0, 20_000.0),
    q=st.floats(0.3, 8.0),
    gain_db=st.floats(-24.0, 24.0),
    rate_hz=st.sampled_from([8_000, 44_100, 48_000, 96_000]),
)
def test_response_is_the_cookbook_s(band_type: str, cutoff_hz: float, q: float, gain_db: float, rate_hz: int) -> None:
    node = prepared(rate_hz, type=band_type, cutoff_hz=cutoff_hz, q=q, gain_db=gain_db)
    assume(node.tail_samples < FRAMES)
    measured = 20 * np.log10(np.abs(np.fft.rfft(processed(node, impulse())[0].astype(np.float64))) + 1e-12)
    at_hz = np.fft.rfftfreq(FRAMES, 1 / rate_hz)
    theory = response_db([(band_type, cutoff_hz, q, gain_db)], at_hz, rate_hz)
    audible = (theory > -60) & (at_hz > 1)
    assert np.abs(measured - theory)[audible].max() < 0.1


@pytest.mark.parametrize("band_type", TYPES)
def test_twin(band_type: str, rng: np.random.Generator) -> None:
    signal = rng.uniform(-1, 1, (3, 8_000)).astype(np.float32)
    node = prepared(channels=3, type=band_type, cutoff_hz=1_700.0, q=3.0, gain_db=9.0)
    expected = filtered(signal, [(band_type, 1_700.0, 3.0, 9.0)], RATE_HZ)
    np.testing.assert_allclose(processed(node, signal), expected, rtol=0, atol=2e-6)


def test_cutoff_above_nyquist_is_moved_below_it() -> None:
    at_hz = np.array([100.0, 2_000.0, 3_900.0])
    signal = processed(prepared(8_000, cutoff_hz=20_000.0), impulse())[0].astype(np.float64)
    measured = 20 * np.log10(np.abs(np.exp(-2j * np.pi * np.outer(at_hz, np.arange(FRAMES)) / 8_000) @ signal))
    np.testing.assert_allclose(measured, response_db([("lowpass", 3_920.0, 0.7071, 0)], at_hz, 8_000), atol=0.01)


@given(seed=st.integers(0, 2**32 - 1), every=st.integers(1, 64), band_type=st.sampled_from(TYPES))
def test_wild_modulation_stays_bounded(seed: int, every: int, band_type: str) -> None:
    rng = np.random.default_rng(seed)
    node = prepared(type=band_type, q=20.0)
    loudest = 0.0
    for _ in range(400):
        cutoff_hz, gain_db = 10 ** rng.uniform(1, np.log10(20_000)), rng.uniform(-24, 24)
        node.update(cutoff_hz=cutoff_hz, q=10 ** rng.uniform(-1, 1.3), gain_db=gain_db)
        loudest = max(loudest, np.abs(processed(node, rng.uniform(-1, 1, (1, every)).astype(np.float32))).max())
    assert loudest < 100  # +24 dB of peak times the resonance of Q 20 would be 316 at rest


def test_energy_never_grows_without_input(rng: np.random.Generator) -> None:
    node = prepared(cutoff_hz=100.0, q=20.0)
    processed(node, rng.uniform(-1, 1, (1, 4_000)).astype(np.float32))
    energy = np.sum(node.state.memory[-2:] ** 2)
    for _ in range(500):
        node.update(cutoff_hz=10 ** rng.uniform(1, np.log10(20_000)), q=10 ** rng.uniform(-1, 1.3))
        processed(node, np.zeros((1, 7), np.float32))
        present = np.sum(node.state.memory[-2:] ** 2)
        assert present <= energy * (1 + 1e-12)
        energy = present


def treble(signal: npt.NDArray[np.float32], above_hz: float = 8_000.0) -> float:
    """Loudest moment above a frequency: where the click of a jump would stand out over a low tone."""
    return float(np.abs(filtered(signal, [("highpass", above_hz, 0.7071, 0)] * 3, RATE_HZ)[..., 500:]).max())


@pytest.mark.parametrize(
    ("band_type", "change"),
    [("lowpass", {"cutoff_hz": 4_000.0}), ("peak", {"gain_db": 18.0}), ("bandpass", {"cutoff_hz": 900.0, "q": 4.0})],
)
def test_changes_do_not_click(band_type: str, change: dict[str, float]) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 300 * np.arange(24_040) / RATE_HZ)).astype(np.float32)[None]

    def changed(ramp_frames: float) -> float:
        node = prepared(type=band_type, cutoff_hz=300.0)
        first = processed(node, tone[:, :12_040])
        node.update(**change)
        node.state.settings[-1] = ramp_frames
        out = np.concatenate([first, processed(node, tone[:, 12_040:])], axis=1)
        return treble(out) / float(np.abs(out).max())

    assert changed(480.0) < 1e-3  # 60 dB below the tone: what the corners of a 10 ms line leave
    assert changed(1.0) > 4 * changed(480.0)


@given(
    band_type=st.sampled_from(TYPES),
    cutoff_hz=st.floats(30.0, 20_000.0),
    q=st.floats(0.1, 20.0),
    gain_db=st.floats(-24.0, 24.0),
)
def test_tail_is_enough_and_not_much_more(band_type: str, cutoff_hz: float, q: float, gain_db: float) -> None:
    node = prepared(type=band_type, cutoff_hz=cutoff_hz, q=q, gain_db=gain_db)
    tail = node.tail_samples
    response = np.abs(
        filtered(np.eye(1, min(2 * tail + 16, 1 << 20))[0], [(band_type, cutoff_hz, q, gain_db)], RATE_HZ)
    )
    left = np.cumsum(response[::-1])[::-1]  # what a full-scale signal of the worst signs leaves behind
    needed = int(np.argmax(left < 1e-6))
    assert needed <= tail + 1
    assert tail <= 1.7 * needed + 16


def test_type_is_not_live_and_unknown_types_are_refused() -> None:
    with pytest.raises(ParameterError, match="type cannot change"):
        prepared().update(type="peak")
    with pytest.raises(ParameterError, match="lowpass, highpass"):
        Filter(type="allpass")
