from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import chirp, firwin, lfilter

from reference.limiter import ideal_true_peak, limited, metered_true_peak
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.limiter import Limiter

RATE_HZ = 48_000
FRAMES = 12_000
Array = npt.NDArray[np.float64]


def prepared(channels: int = 1, /, rate_hz: int = RATE_HZ, **parameters: object) -> Limiter:
    node = Limiter(**parameters)
    node.prepare(ProcessSpec(rate_hz, 1 << 16, channels))
    return node


def processed(node: Limiter, signal: npt.ArrayLike) -> Block:
    block = np.ascontiguousarray(np.atleast_2d(np.asarray(signal, np.float32)))
    out = np.full_like(block, np.nan)
    node.process(block, out)
    return out


def faded(signal: npt.ArrayLike) -> Array:
    """Ends at rest, so that cutting the signal adds no content near the Nyquist frequency."""
    x = np.array(signal, np.float64).ravel()
    fade = np.sin(np.linspace(0, np.pi / 2, 400)) ** 2
    x[:400] *= fade
    x[-400:] *= fade[::-1]
    return np.pad(x, (0, 600))


def materials(seed: int) -> dict[str, Array]:
    """Loud signals without content above 0.45 of the sample rate, and two with (marked so)."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(FRAMES) / RATE_HZ
    below = firwin(255, 0.88)
    square = np.sign(np.sin(2 * np.pi * rng.uniform(80, 3_000) * time_s + 0.1))
    return {
        "quarter rate": 4 * np.sin(np.pi / 2 * np.arange(FRAMES) + np.pi / 4),
        "noise": lfilter(below, 1, 3 * rng.standard_normal(FRAMES)),
        "sparse clicks": lfilter(below, 1, 8 * (rng.random(FRAMES) < 0.01) * rng.standard_normal(FRAMES)),
        "square": lfilter(below, 1, 2 * square),
        "chirp": 3 * chirp(time_s, 50, time_s[-1], 20_000),
        "beating treble": 5 * np.sin(2 * np.pi * 15_000 * time_s) * np.sin(2 * np.pi * 700 * time_s) ** 2,
        "voice": lfilter(below, 1, 6 * (np.arange(FRAMES) % 320 == 0)) * (1 + np.sin(2 * np.pi * 5 * time_s)),
        "white noise (full band)": rng.uniform(-3, 3, FRAMES),
        "white square (full band)": square,
    }


def ceiling_of(node: Limiter) -> float:
    return 10 ** (float(node.parameters["ceiling_db"]) / 20)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("ceiling_db", [-1.0, -20.0])
def test_true_peak_stays_at_the_ceiling(seed: int, ceiling_db: float) -> None:
    for name, signal in materials(seed).items():
        node = prepared(ceiling_db=ceiling_db)
        out = processed(node, faded(signal))
        assert metered_true_peak(out) <= ceiling_of(node) * 10 ** (0.5 / 20), name
        if "full band" not in name:
            assert ideal_true_peak(out) <= ceiling_of(node) * 10 ** (0.05 / 20), name


@given(
    seed=st.integers(0, 2**32 - 1),
    ceiling_db=st.floats(-40.0, 0.0),
    release_ms=st.floats(1.0, 1_000.0),
    lookahead_ms=st.floats(0.5, 10.0),
    hotness=st.floats(0.1, 1_000.0),
)
def test_no_sample_exceeds_the_ceiling(
    seed: int, ceiling_db: float, release_ms: float, lookahead_ms: float, hotness: float
) -> None:
    rng = np.random.default_rng(seed)
    shapes = [rng.uniform(-1, 1, (2, 3_000)), np.sign(rng.uniform(-1, 1, (2, 3_000))), rng.standard_cauchy((2, 3_000))]
    node = prepared(2, ceiling_db=ceiling_db, release_ms=release_ms, lookahead_ms=lookahead_ms)
    for shape in shapes:
        assert np.abs(processed(node, hotness * shape)).max() <= ceiling_of(node)


def test_a_quarter_rate_sine_is_held_at_its_true_peak_and_not_lower() -> None:
    out = processed(prepared(), faded(4 * np.sin(np.pi / 2 * np.arange(FRAMES) + np.pi / 4)))[0]
    middle = out[FRAMES // 2 : FRAMES // 2 + 1_000].astype(np.float64)
    amplitude_db = 10 * np.log10(2 * np.mean(middle**2))
    assert amplitude_db == pytest.approx(-1.0, abs=0.1)


@given(
    seed=st.integers(0, 2**32 - 1),
    ceiling_db=st.floats(-40.0, 0.0),
    release_ms=st.floats(1.0, 200.0),
    lookahead_ms=st.floats(0.5, 10.0),
    rate_hz=st.sampled_from([8_000, 44_100, 48_000, 96_000]),
)
def test_twin(seed: int, ceiling_db: float, release_ms: float, lookahead_ms: float, rate_hz: int) -> None:
    rng = np.random.default_rng(seed)
    swell = 10 ** rng.uniform(-3, 0.5, 20).repeat(150)
    signal = (swell * rng.uniform(-1, 1, (2, 3_000))).astype(np.float32)
    node = prepared(2, rate_hz=rate_hz, ceiling_db=ceiling_db, release_ms=release_ms, lookahead_ms=lookahead_ms)
    expected = limited(signal, ceiling_of(node), release_ms, node.latency_samples, rate_hz)
    np.testing.assert_allclose(processed(node, signal), expected, rtol=0, atol=1e-6)


@given(
    seed=st.integers(0, 2**32 - 1),
    ceiling_db=st.floats(-40.0, 0.0),
    sizes=st.lists(st.integers(1, 200), min_size=5, max_size=40),
)
def test_what_is_left_unexamined_does_not_depend_on_the_blocks(seed: int, ceiling_db: float, sizes: list[int]) -> None:
    rng = np.random.default_rng(seed)
    level = 10 ** (ceiling_db / 20 + rng.uniform(-0.6, 0.2, 40)).repeat(75)  # around what may reach the ceiling
    signal = (level * rng.uniform(-1, 1, (2, 3_000))).astype(np.float32)
    whole = processed(prepared(2, ceiling_db=ceiling_db, release_ms=1.0), signal)
    node = prepared(2, ceiling_db=ceiling_db, release_ms=1.0)
    pieces = [processed(node, piece) for piece in np.split(signal, np.cumsum(sizes), axis=1)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


def test_below_the_ceiling_the_bits_pass_even_after_limiting(rng: np.random.Generator) -> None:
    node = prepared(2, release_ms=20.0)
    processed(node, rng.uniform(-4, 4, (2, 4_800)))
    soft = (0.3 * rng.uniform(-1, 1, (2, 48_000))).astype(np.float32)
    processed(node, soft)  # 17 e-folds of 20 ms leave less than 2^-26 of any gain
    delay = node.latency_samples
    np.testing.assert_array_equal(processed(node, soft)[:, delay:], soft[:, :-delay])


def test_gain_moves_smoothly_down_within_the_lookahead_and_back_by_the_release() -> None:
    node = prepared(ceiling_db=-20.0, release_ms=50.0, lookahead_ms=2.0)
    level = np.full(24_000, 0.05)
    level[6_000:12_000] = 1.0
    delay = node.latency_samples
    gain = processed(node, level)[0, delay:] / level[: 24_000 - delay]
    assert delay == 96
    assert gain[: 6_000 - 96] == pytest.approx(1.0, abs=1e-6)
    assert np.abs(np.diff(gain)).max() < 1 / 40  # a fall of 0.9 in two means of 42 samples
    assert np.abs(np.diff(gain, 2)).max() < 1.1 / 42**2
    released = gain[12_000 + 200 :]
    shape = 1 - released / released[-1]
    assert shape[2_400] / shape[0] == pytest.approx(np.exp(-1), abs=0.02)


def test_channels_share_the_gain(rng: np.random.Generator) -> None:
    signal = rng.uniform(-1, 1, (2, 4_800)) * [[2.0], [0.01]]
    node = prepared(2, ceiling_db=-6.0)
    delay = node.latency_samples
    gain = processed(node, signal)[:, delay:] / signal[:, :-delay].astype(np.float32)
    np.testing.assert_allclose(gain[0], gain[1], rtol=1e-5)
    assert gain.min() < 0.4


def test_a_falling_ceiling_is_obeyed_without_a_step() -> None:
    node = prepared(ceiling_db=0.0)
    tone = 0.9 * np.sin(2 * np.pi * 300 * np.arange(9_600) / RATE_HZ)
    before = processed(node, tone[:4_800])
    node.update(ceiling_db=-20.0)
    after = processed(node, tone[4_800:])
    settled = round(0.010 * RATE_HZ) + node.latency_samples
    assert np.abs(after[:, settled:]).max() <= ceiling_of(node)
    step = np.abs(np.diff(np.concatenate([before, after], axis=1))).max()
    assert step < 1.2 * np.abs(np.diff(tone)).max()


def test_what_is_not_finite_becomes_silence() -> None:
    signal = np.full(4_800, 0.25, np.float32)
    signal[[1_000, 1_001, 1_500]] = np.nan, np.inf, -np.inf
    node = prepared()
    expected = np.where(np.isfinite(signal), signal, 0)[: -node.latency_samples]
    np.testing.assert_array_equal(processed(node, signal)[0, node.latency_samples :], expected)


@pytest.mark.parametrize(("rate_hz", "latency"), [(8_000, 21), (44_100, 66), (48_000, 72), (192_000, 288)])
def test_latency(rate_hz: int, latency: int) -> None:
    assert prepared(rate_hz=rate_hz).latency_samples == latency
