from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyworld
import scipy.signal
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from vcfx_dsp.errors import ParameterError
from vcfx_dsp.f0_tracker import F0Tracker
from voices import vowel

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("f0_hz", [60.0, 85.0, 120.0, 177.0, 233.0, 310.0, 450.0, 580.0])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_steady_vowels(f0_hz: float, rate_hz: int) -> None:
    found = F0Tracker(rate_hz).track(vowel(f0_hz, rate_hz)).f0_hz[20:]
    np.testing.assert_allclose(found, f0_hz, rtol=0.005)


def test_192_khz() -> None:
    found = F0Tracker(192_000).track(vowel(140.0, 192_000, 0.5)).f0_hz[20:]
    np.testing.assert_allclose(found, 140.0, rtol=0.005)


@pytest.mark.parametrize(("start_hz", "stop_hz"), [(90.0, 180.0), (300.0, 150.0)])
def test_glides_at_the_stated_delay(start_hz: float, stop_hz: float) -> None:
    rate_hz = 48_000
    contour = np.geomspace(start_hz, stop_hz, rate_hz)
    tracker = F0Tracker(rate_hz)
    found = tracker.track(vowel(contour, rate_hz)).f0_hz
    middles = np.arange(1, found.size + 1) * tracker.hop_samples - tracker.delay_samples
    inner = slice(20, -5)
    # An octave in a second is 0.7 % in 10 ms: this holds the delay to about 20 ms.
    np.testing.assert_allclose(found[inner], contour[middles[inner]], rtol=0.015)


def test_noise_and_silence_are_unvoiced(rng: np.random.Generator) -> None:
    assert not F0Tracker(48_000).track(np.zeros(24_000)).f0_hz.any()
    noise = F0Tracker(48_000).track(0.1 * rng.standard_normal(96_000)).f0_hz
    assert np.mean(noise > 0) < 0.03


def test_hum_in_the_background_is_not_a_voice(rng: np.random.Generator) -> None:
    time_s = np.arange(144_000) / 48_000
    signal = 0.002 * np.sin(2 * np.pi * 120 * time_s) + 0.002 * rng.standard_normal(144_000)
    signal[96_000:] += vowel(150.0, 48_000)
    found = F0Tracker(48_000).track(signal).f0_hz
    assert np.mean(found[200:390] > 0) < 0.05
    np.testing.assert_allclose(found[430:], 150.0, rtol=0.02)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rumble_below_the_voice_is_not_a_voice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    slow = scipy.signal.butter(2, (10.0, 40.0), "band", fs=48_000, output="sos")
    rumble = scipy.signal.sosfilt(slow, rng.standard_normal(144_000))
    hiss = scipy.signal.lfilter([1.0], [1.0, -0.95], rng.standard_normal(144_000))
    signal = 0.006 * rumble / rumble.std() + 0.002 * hiss / hiss.std()
    signal[96_000:] += vowel(150.0, 48_000)
    found = F0Tracker(48_000).track(signal).f0_hz
    assert np.mean(found[40:390] > 0) < 0.02
    np.testing.assert_allclose(found[430:], 150.0, rtol=0.02)


def test_voicing_tells_voice_from_noise(rng: np.random.Generator) -> None:
    voice = F0Tracker(48_000).track(vowel(120.0, 48_000)).voicing[20:]
    noise = F0Tracker(48_000).track(0.1 * rng.standard_normal(48_000)).voicing[20:]
    assert voice.min() > 0.9
    assert np.median(noise) < 0.5


@pytest.mark.parametrize(("first_hz", "second_hz", "within_s"), [(300.0, 100.0, 0.05), (90.0, 250.0, 0.5)])
def test_another_voice_takes_over(first_hz: float, second_hz: float, within_s: float) -> None:
    """The usual pitch of the first must not hold the second an octave off."""
    signal = np.concatenate([vowel(first_hz, 48_000), vowel(second_hz, 48_000)])
    found = F0Tracker(48_000).track(signal).f0_hz[round((1.0 + within_s) / 0.005) :]
    np.testing.assert_allclose(found, second_hz, rtol=0.005)


def test_a_resonance_is_not_taken_for_the_voice(rng: np.random.Generator) -> None:
    """A rough murmur that rings at 5 times the pitch of the voice before it."""
    voice = vowel(110.0, 48_000)
    murmur = vowel(110.0 * (1 + rng.standard_normal(24_000)), 48_000, 0.5, formants=((550.0, 30.0),))
    found = F0Tracker(48_000).track(np.concatenate([voice, 0.3 * murmur])).f0_hz[210:]
    assert np.mean(found > 300.0) < 0.05


@given(cuts=st.lists(st.integers(0, 24_000), max_size=12))
def test_any_split_gives_the_same_frames(cuts: list[int]) -> None:
    signal = vowel(np.linspace(100, 200, 24_000), 48_000, 0.5)
    whole = F0Tracker(48_000).track(signal)
    tracker = F0Tracker(48_000)
    parts = [tracker.track(part) for part in np.split(signal, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate([part.f0_hz for part in parts]), whole.f0_hz)
    np.testing.assert_array_equal(np.concatenate([part.voicing for part in parts]), whole.voicing)


def test_reset_forgets() -> None:
    signal = vowel(130.0, 48_000, 0.3)
    tracker = F0Tracker(48_000)
    first = tracker.track(signal).f0_hz
    tracker.reset()
    np.testing.assert_array_equal(tracker.track(signal).f0_hz, first)


@pytest.mark.parametrize("name", ["tests/data/male.flac", "vcfx/data/clip.flac"])
def test_speech_agrees_with_harvest(name: str) -> None:
    signal, rate_hz = soundfile.read(ROOT / name)
    low = scipy.signal.resample_poly(signal, 16_000, rate_hz)
    f0, times = pyworld.harvest(low, 16_000, f0_floor=50.0, f0_ceil=620.0)
    f0 = np.where(pyworld.d4c(low, f0, times, 16_000)[:, 2] < 0.999, f0, 0.0)
    tracker = F0Tracker(rate_hz)
    found = tracker.track(signal).f0_hz
    ends = np.arange(1, found.size + 1) * tracker.hop_samples
    frames = np.clip(np.round((ends - tracker.delay_samples) / rate_hz / 0.005).astype(int), 0, f0.size - 1)
    wanted = f0[frames]
    both = (wanted > 0) & (found > 0)
    factor = found[both] / wanted[both]
    assert both.sum() > 200
    assert np.mean(np.abs(factor - 1) > 0.2) < 0.06
    assert abs(np.median(factor) - 1) < 0.01
    assert np.mean((wanted > 0) != (found > 0)) < 0.25


@pytest.mark.parametrize(
    "arguments", [{"sample_rate": 4_000}, {"lowest_hz": 20.0}, {"lowest_hz": 400.0, "highest_hz": 300.0}]
)
def test_what_is_out_of_range_is_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="allowed"):
        F0Tracker(**{"sample_rate": 48_000, **arguments})  # type: ignore[arg-type]
