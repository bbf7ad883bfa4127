from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample_poly

from reference.meter import STANDARD_HIGHPASS, STANDARD_SHELF, momentary_lufs
from vcfx_dsp.loudness import k_weighting
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.meter import Levels, Meter

CLIP = Path(__file__).parent / "data" / "male.flac"


def measured(signal: Block, rate_hz: int = 48_000, **parameters: object) -> Levels:
    node = Meter(**parameters)
    node.prepare(ProcessSpec(rate_hz, max(signal.shape[1], 1), signal.shape[0]))
    node.process(signal, signal.copy())
    return node.read()


def sine(frequency_hz: float, amplitude: float, rate_hz: int, seconds: float = 1.0, channels: int = 1) -> Block:
    wave = amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate_hz)) / rate_hz)
    return np.tile(wave.astype(np.float32), (channels, 1))


def test_the_k_filter_is_the_standards_at_48_khz() -> None:
    for biquad, (b, a) in zip(k_weighting(48_000), (STANDARD_SHELF, STANDARD_HIGHPASS), strict=True):
        np.testing.assert_allclose(biquad, [*b, *a[1:]], rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("frequency_hz", "amplitude_db", "channels", "expected_lufs"),
    [(997.0, 0.0, 1, -3.01), (1_000.0, -23.0, 2, -23.0), (1_000.0, -33.0, 2, -33.0)],
)
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000, 192_000])
def test_sines_read_what_the_standards_say(
    frequency_hz: float, amplitude_db: float, channels: int, expected_lufs: float, rate_hz: int
) -> None:
    tone = sine(frequency_hz, 10 ** (amplitude_db / 20), rate_hz, channels=channels)
    tolerance_lu = 0.25 if rate_hz == 8_000 else 0.1  # 0.1: EBU Tech 3341; at 8 kHz the bilinear transform warps more
    assert measured(tone, rate_hz).lufs_momentary == pytest.approx(expected_lufs, abs=tolerance_lu)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000, 96_000])
def test_loudness_of_noise_equals_the_reference(rate_hz: int, rng: np.random.Generator) -> None:
    noise = rng.uniform(-0.5, 0.5, (2, rate_hz)).astype(np.float32)
    assert measured(noise, rate_hz).lufs_momentary == pytest.approx(momentary_lufs(noise, rate_hz), abs=0.001)


@pytest.mark.parametrize(("filter_class", "tolerance_lu"), [("K-weighting", 0.1), ("DeMan", 0.001)])
@pytest.mark.parametrize("start_s", [0.3, 1.0, 1.7])
def test_loudness_of_speech_agrees_with_pyloudnorm(filter_class: str, tolerance_lu: float, start_s: float) -> None:
    speech, rate_hz = soundfile.read(CLIP, dtype="float32")
    start = round(start_s * rate_hz)
    piece = resample_poly(speech[start : start + round(0.4 * rate_hz)], 48_000, rate_hz)[None]
    expected = pyloudnorm.Meter(48_000, filter_class, block_size=0.4).integrated_loudness(piece.T)
    assert measured(piece).lufs_momentary == pytest.approx(expected, abs=tolerance_lu)


def test_surround_channels_weigh_more_and_lfe_nothing() -> None:
    tone = sine(1_000.0, 0.1, 48_000, channels=6)
    for channel, expected_db in enumerate([0.0, 0.0, 0.0, -np.inf, 1.49, 1.49]):
        alone = np.zeros_like(tone)
        alone[channel] = tone[channel]
        difference = measured(alone).lufs_momentary - measured(tone[:1]).lufs_momentary
        assert difference == pytest.approx(max(expected_db, -120.0 - measured(tone[:1]).lufs_momentary), abs=0.01)


@given(amplitude=st.floats(0.001, 4.0), frequency_hz=st.sampled_from([100.0, 440.0, 1_000.0, 5_000.0]))
def test_peak_and_rms_of_a_sine(amplitude: float, frequency_hz: float) -> None:
    tone = sine(frequency_hz, amplitude, 48_000)
    levels = measured(tone)
    assert levels.peak_db[0] == pytest.approx(20 * np.log10(np.abs(tone).max()), abs=1e-4)
    assert levels.rms_db[0] == pytest.approx(20 * np.log10(amplitude) - 3.0103, abs=0.01)


def test_rms_looks_back_300_ms_and_loudness_400_ms() -> None:
    burst = np.concatenate([sine(1_000.0, 0.5, 48_000, 1.0), np.zeros((1, 14_400), np.float32)], axis=1)
    levels = measured(burst)
    assert levels.rms_db == (-120.0,)
    full = measured(sine(1_000.0, 0.5, 48_000)).lufs_momentary
    assert levels.lufs_momentary == pytest.approx(full - 6.02, abs=0.05)  # a quarter of the window is left
    silent = measured(np.concatenate([burst, np.zeros((1, 19_200), np.float32)], axis=1))
    assert silent.lufs_momentary < -70.0


def test_a_peak_is_held_and_then_falls_at_the_stated_rate() -> None:
    signal = np.zeros((2, 48_000), np.float32)
    signal[1, 0] = -0.5
    held = measured(np.ascontiguousarray(signal[:, :24_001]), hold_ms=500.0, decay_db_per_s=40.0)
    fallen = measured(signal, hold_ms=500.0, decay_db_per_s=40.0)
    assert held.peak_db[0] == -120.0
    assert held.peak_db[1] == pytest.approx(-6.0206, abs=1e-3)
    assert fallen.peak_db[1] == pytest.approx(-6.0206 - 20.0, abs=0.01)


def test_a_broken_sample_passes_but_does_not_stay_in_the_meter() -> None:
    signal = sine(1_000.0, 0.5, 48_000)
    expected = measured(signal)
    signal[0, 100] = np.nan
    signal[0, 200] = np.inf
    node = Meter()
    node.prepare(ProcessSpec(48_000, 48_000, 1))
    out = np.zeros_like(signal)
    node.process(signal, out)
    np.testing.assert_array_equal(out, signal)
    assert node.read().lufs_momentary == pytest.approx(expected.lufs_momentary, abs=0.001)
    assert node.read().peak_db == expected.peak_db


def test_nothing_reads_below_the_floor() -> None:
    assert measured(np.zeros((2, 0), np.float32)) == Levels((-120.0,) * 2, (-120.0,) * 2, -120.0)
