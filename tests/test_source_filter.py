from __future__ import annotations

import math
import subprocess
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.source_filter import SourceFilterByDefinition
from vcfx_dsp.core.fft import fft_table
from vcfx_dsp.core.kernel import compiled_entry
from vcfx_dsp.core.sine import quick_sin_cos
from vcfx_dsp.core.source_filter import minimum_phase
from vcfx_dsp.errors import ParameterError
from vcfx_dsp.source_filter import SourceFilterSynth

RATE_HZ, SIZE, N_FFT = 24_000, 120, 1_024
HARMONIC_CENTRES_HZ = np.geomspace(60.0, 12_000.0, 64)
NOISE_CENTRES_HZ = np.geomspace(100.0, 12_000.0, 24)
SILENT_LOG = -20.0
Singles = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


def synth(**other: Any) -> SourceFilterSynth:
    settings = {
        "sample_rate": RATE_HZ,
        "subframe_samples": SIZE,
        "harmonic_centres_hz": HARMONIC_CENTRES_HZ,
        "noise_centres_hz": NOISE_CENTRES_HZ,
        "n_fft": N_FFT,
    }
    return SourceFilterSynth(**{**settings, **other})


def rendered(source: SourceFilterSynth, f0_hz: Singles, harmonic_log: Singles, noise_log: Singles) -> Singles:
    out = np.full(len(f0_hz) * source.subframe_samples, np.nan, np.float32)
    source.render(f0_hz, harmonic_log, noise_log, out)
    return out


def moving_voice(frames: int, seed: int, n_harmonic: int = 64, n_noise: int = 24) -> tuple[Singles, Singles, Singles]:
    """F0 and envelopes that wander smoothly, as a voice's do."""
    rng = np.random.default_rng(seed)
    turns = 2.0 * np.pi * np.arange(frames)[:, None] / 25.0
    f0_hz = 150.0 * np.exp(0.6 * np.sin(turns[:, 0] + rng.uniform(0.0, 6.0)))
    bands = [np.arange(count) * (12.0 / count) for count in (n_harmonic, n_noise)]
    envelopes = [-3.0 + 1.5 * np.sin(turns + row + rng.uniform(0.0, 6.0)) for row in bands]
    return f0_hz.astype(np.float32), envelopes[0].astype(np.float32), envelopes[1].astype(np.float32)


def steady(frames: int, f0_hz: float, harmonic_log: Any, noise_log: Any) -> tuple[Singles, Singles, Singles]:
    return (
        np.full(frames, f0_hz, np.float32),
        np.tile(np.broadcast_to(harmonic_log, 64), (frames, 1)).astype(np.float32),
        np.tile(np.broadcast_to(noise_log, 24), (frames, 1)).astype(np.float32),
    )


def harmonic_levels_db(signal: Singles, f0_hz: float, count: int) -> Floats:
    """Power of each harmonic in dB, by projection under a window whose side lobes do not matter."""
    window = np.blackman(len(signal))
    turns = np.exp(-2j * np.pi * f0_hz / RATE_HZ * np.outer(np.arange(1, count + 1), np.arange(len(signal))))
    amplitudes = 2.0 * np.abs(turns @ (window * signal)) / window.sum()
    return np.asarray(20.0 * np.log10(amplitudes / math.sqrt(2.0)), np.float64)


@pytest.mark.parametrize(
    ("size", "n_fft", "rate_hz", "n_harmonic", "n_noise"), [(120, 1_024, 24_000, 64, 24), (97, 512, 16_000, 2, 7)]
)
def test_it_equals_the_definition(size: int, n_fft: int, rate_hz: int, n_harmonic: int, n_noise: int) -> None:
    centres = np.geomspace(60.0, 0.5 * rate_hz, n_harmonic), np.linspace(0.0, 0.4 * rate_hz, n_noise)
    voice = moving_voice(40, 1, n_harmonic, n_noise)
    definition = SourceFilterByDefinition(rate_hz, size, *centres, n_fft)
    expected = definition.render(*(row.astype(np.float64) for row in voice))
    ours = rendered(SourceFilterSynth(rate_hz, size, *centres, n_fft), *voice)
    assert expected.std() > 0.05
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("f0_hz", [47.0, 100.0, 163.7, 220.0, 440.0, 1_000.0])
def test_equal_bands_give_equal_harmonics(f0_hz: float) -> None:
    signal = rendered(synth(), *steady(400, f0_hz, 0.0, SILENT_LOG))[24_000:]
    count = math.floor(0.49 * RATE_HZ / f0_hz)
    levels = harmonic_levels_db(signal, f0_hz, count)
    np.testing.assert_allclose(levels, -10.0 * math.log10(count), atol=0.01)
    assert count * f0_hz > 10_900.0


@pytest.mark.parametrize("f0_hz", [60.0, 133.25, 400.0])
def test_nothing_lies_between_or_above_the_harmonics(f0_hz: float) -> None:
    """An alias would lie between them: none is wanted above -100 dB."""
    signal = rendered(synth(), *steady(400, f0_hz, 0.0, SILENT_LOG))[24_000:]
    count = math.floor(0.49 * RATE_HZ / f0_hz)
    phases = 2.0 * np.pi * f0_hz / RATE_HZ * np.outer(np.arange(24_001, 48_001), np.arange(1, count + 1))
    basis = np.concatenate([np.cos(phases), np.sin(phases)], axis=1)
    rest = signal - basis @ np.linalg.lstsq(basis, signal, rcond=None)[0]
    assert 20.0 * np.log10(rest.std() / signal.std()) < -100.0


def test_the_noise_is_white() -> None:
    signal = rendered(synth(), *steady(8_000, 100.0, SILENT_LOG, 0.0))
    segments = signal[: 3_750 * 256].reshape(-1, 256) * np.hanning(256)
    powers = (np.abs(np.fft.rfft(segments)) ** 2).mean(axis=0) / (np.hanning(256) ** 2).sum()
    np.testing.assert_allclose(10.0 * np.log10(powers[1:-1]), 0.0, atol=0.5)
    assert signal.std() == pytest.approx(1.0, abs=0.005)


@pytest.mark.parametrize("f0_hz", [20.0, 91.0, 250.0, 800.0])
def test_the_harmonics_have_power_one(f0_hz: float) -> None:
    signal = rendered(synth(), *steady(400, f0_hz, 0.0, SILENT_LOG))[24_000:]
    assert signal.std() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("f0_hz", [95.0, 160.0, 300.0])
def test_a_formant_is_heard_at_the_harmonics(f0_hz: float) -> None:
    formant_log = 3.0 * np.exp(-0.5 * (np.log(HARMONIC_CENTRES_HZ / 1_200.0) / 0.3) ** 2) - 1.0
    signal = rendered(synth(), *steady(400, f0_hz, formant_log, SILENT_LOG))[24_000:]
    count = math.floor(0.49 * RATE_HZ / f0_hz)
    wanted_log = np.interp(f0_hz * np.arange(1, count + 1), HARMONIC_CENTRES_HZ, formant_log)
    wanted_db = 20.0 / math.log(10.0) * wanted_log - 10.0 * math.log10(count)
    np.testing.assert_allclose(harmonic_levels_db(signal, f0_hz, count), wanted_db, atol=0.1)


def test_a_formant_is_heard_in_the_noise() -> None:
    formant_log = 2.0 * np.exp(-0.5 * (np.log(NOISE_CENTRES_HZ / 3_000.0) / 0.4) ** 2) - 1.0
    signal = rendered(synth(), *steady(8_000, 100.0, SILENT_LOG, formant_log))
    segments = signal[: 3_750 * 256].reshape(-1, 256) * np.hanning(256)
    powers = (np.abs(np.fft.rfft(segments)) ** 2).mean(axis=0) / (np.hanning(256) ** 2).sum()
    wanted_log = np.interp(np.arange(129) * RATE_HZ / 256, NOISE_CENTRES_HZ, formant_log)
    wanted_db = 20.0 / math.log(10.0) * wanted_log
    np.testing.assert_allclose(10.0 * np.log10(powers[1:-1]), wanted_db[1:-1], atol=1.0)


def test_the_filter_of_one_pole_is_that_pole() -> None:
    """``1 / (1 - 0.9 z^-1)`` is of minimum phase: from its amplitudes alone, its impulse response must come back."""
    bins = N_FFT // 2 + 1
    amplitudes = 1.0 / np.abs(1.0 - 0.9 * np.exp(-1j * np.pi * np.arange(bins) / (bins - 1)))
    lefts, weights = np.minimum(np.arange(bins), bins - 2), (np.arange(bins) == bins - 1).astype(np.float64)
    real, imaginary = np.full((2, bins), np.nan)
    _filter(np.log(amplitudes), lefts, weights, real, imaginary, np.zeros(N_FFT), fft_table(N_FFT))
    response = np.fft.irfft(real + 1j * imaginary)
    np.testing.assert_allclose(response, 0.9 ** np.arange(N_FFT), rtol=0, atol=1e-12)


@given(cuts=st.lists(st.integers(0, 30), max_size=8), seed=st.integers(0, 3))
def test_any_split_gives_the_same_bits(cuts: list[int], seed: int) -> None:
    f0_hz, harmonic_log, noise_log = moving_voice(30, seed)
    whole = rendered(synth(), f0_hz, harmonic_log, noise_log)
    source, edges = synth(), [0, *sorted(cuts), 30]
    parts = [
        rendered(source, f0_hz[start:stop], harmonic_log[start:stop], noise_log[start:stop])
        for start, stop in pairwise(edges)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_reset_and_a_copied_state_give_the_same_bits() -> None:
    voice, source, other = moving_voice(50, 5), synth(), synth()
    first = rendered(source, *voice)
    other.state.copy_from(source.state)
    np.testing.assert_array_equal(rendered(other, *voice), rendered(source, *voice))
    source.reset()
    np.testing.assert_array_equal(rendered(source, *voice), first)


def test_a_sub_frame_comes_without_delay() -> None:
    """The first sub-frame of a low voice holds the pulse at its phase 0, where it belongs: after one period."""
    signal = rendered(synth(), *steady(4, 100.0, 0.0, SILENT_LOG))
    assert np.abs(signal[:100]).max() < 0.5 * signal.max()
    assert signal.argmax() % 240 == 239


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e30, -1e30])
def test_what_is_absurd_is_held_within_limits(wrong: float) -> None:
    f0_hz, harmonic_log, noise_log = moving_voice(20, 2)
    f0_hz[5], harmonic_log[8, 3], noise_log[12, :] = wrong, wrong, wrong
    nearest = [np.where(wrong > low, high, low) for low, high in ((20.0, 2_000.0), (-20.0, 8.0))]
    source = synth()
    out = rendered(source, f0_hz, harmonic_log, noise_log)
    f0_hz[5], harmonic_log[8, 3], noise_log[12, :] = nearest[0], nearest[1], nearest[1]
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(out, rendered(synth(), f0_hz, harmonic_log, noise_log))
    source.reset()
    assert np.isfinite(rendered(source, *(np.full_like(row, wrong) for row in (f0_hz, harmonic_log, noise_log)))).all()


def peak_while_rendering() -> int:
    voice, source = moving_voice(20, 4), synth()
    out = np.zeros(20 * SIZE, np.float32)
    source.render(*voice, out)
    tracemalloc.start()
    for _ in range(20):
        source.render(*voice, out)
    return tracemalloc.get_traced_memory()[1]


def test_rendering_allocates_no_array() -> None:
    """In a process of its own: threads that other tests have left behind allocate as well."""
    program = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_source_filter as tests; "
    program += "print(tests.peak_while_rendering())"
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert int(made.stdout) < 4_096


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_fft": 1_000}, "n_fft is 1000; allowed: powers of two from 64 to 8192"),
        ({"subframe_samples": 0}, "subframe_samples is 0; allowed: 1 to 512"),
        ({"subframe_samples": 513}, "subframe_samples is 513"),
        ({"sample_rate": 1_000}, "sample_rate is 1000"),
        ({"noise_centres_hz": [100.0]}, "noise_centres_hz has the shape"),
        ({"harmonic_centres_hz": [100.0, 100.0]}, "harmonic_centres_hz is .*; allowed: rising from 0 or more to 12000"),
        ({"harmonic_centres_hz": [100.0, np.nan]}, "harmonic_centres_hz is"),
        ({"harmonic_centres_hz": [100.0, 12_001.0]}, "harmonic_centres_hz is"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        synth(**wrong)


@pytest.mark.parametrize(
    ("place", "array", "message"),
    [
        (0, np.zeros(2), "f0_hz is contiguous float64"),
        (0, np.zeros((2, 1), np.float32), "f0_hz has the shape"),
        (1, np.zeros((2, 128), np.float32)[:, ::2], "harmonic_log is strided float32"),
        (2, np.zeros((2, 23), np.float32), r"noise_log has the shape \(2, 23\); allowed: \(2, 24\)"),
        (3, np.zeros(239, np.float32), r"out has the shape \(239,\); allowed: \(240,\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(place: int, array: Any, message: str) -> None:
    arrays: list[Any] = [*moving_voice(2, 0), np.zeros(240, np.float32)]
    arrays[place] = array
    with pytest.raises(ParameterError, match=message):
        synth().render(*arrays)


@compiled_entry
def _filter(bands: Any, lefts: Any, weights: Any, real: Any, imaginary: Any, cepstrum: Any, table: Any) -> None:
    minimum_phase(bands, lefts, weights, real, imaginary, cepstrum, table)


@compiled_entry
def _sines(angles: Any, sines: Any, cosines: Any) -> None:
    for index in range(angles.size):
        sines[index], cosines[index] = quick_sin_cos(angles[index])


def test_sine_and_cosine_are_exact_enough() -> None:
    angles = np.concatenate([np.linspace(-10_000.0, 10_000.0, 200_001), np.arange(-20, 21) * np.pi / 2])
    sines, cosines = np.empty_like(angles), np.empty_like(angles)
    _sines(angles, sines, cosines)
    np.testing.assert_allclose(sines, np.sin(angles), rtol=0, atol=1e-12)
    np.testing.assert_allclose(cosines, np.cos(angles), rtol=0, atol=1e-12)
