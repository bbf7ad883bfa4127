from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from scipy.signal import resample_poly

from reference.vocoder import Setting, vocoder
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.vocoder import SEED, Vocoder

RATE_HZ = 48_000
CLIP = Path(__file__).parent / "data" / "male.flac"


@pytest.fixture(scope="module")
def speech() -> Block:
    samples, rate_hz = soundfile.read(CLIP, dtype="float32")
    return np.ascontiguousarray(resample_poly(samples, RATE_HZ, rate_hz)[None], np.float32)


def vocoded(signal: Block, **parameters: object) -> Block:
    node = Vocoder(**parameters)
    node.prepare(ProcessSpec(RATE_HZ, signal.shape[1], signal.shape[0]))
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


def power_db(signal: npt.NDArray[np.floating]) -> float:
    return float(10 * np.log10(np.mean(signal.astype(np.float64) ** 2) + 1e-12))


@pytest.mark.parametrize("carrier", ["sawtooth", "pulse", "noise"])
@pytest.mark.parametrize(("bands", "pitch_hz"), [(20, 110.0), (7, 313.0)])
def test_it_equals_the_reference(carrier: str, bands: int, pitch_hz: float, speech: Block) -> None:
    piece = np.ascontiguousarray(speech[:, 30_000:42_000])
    setting = Setting(carrier, pitch_hz, bands, 4.0, 25.0, RATE_HZ, SEED)
    out = vocoded(
        piece, carrier=carrier, bands=bands, pitch_hz=pitch_hz, attack_ms=4.0, release_ms=25.0, unvoiced_ratio=0.0
    )
    expected = vocoder(piece[0].astype(np.float64), setting)
    np.testing.assert_allclose(out[0], expected, rtol=0, atol=2e-3 * np.abs(expected).max())


@pytest.mark.parametrize("carrier", ["sawtooth", "pulse", "noise"])
@pytest.mark.parametrize("gain", [1.0, 0.05])
def test_speech_keeps_its_level_within_3_db(carrier: str, gain: float, speech: Block) -> None:
    signal = np.float32(gain) * speech
    out = vocoded(signal, carrier=carrier)
    assert power_db(out) == pytest.approx(power_db(signal), abs=3.0)
    differences = [
        power_db(out[0, start : start + 9_600]) - power_db(signal[0, start : start + 9_600])
        for start in range(0, signal.shape[1] - 9_600, 9_600)
        if power_db(signal[0, start : start + 9_600]) > power_db(signal) - 20.0
    ]
    assert len(differences) > 15
    assert abs(np.median(differences)) < 1.5


@pytest.mark.parametrize("pitch_hz", [80.0, 200.0])
def test_a_whisper_gets_a_voice_of_the_carriers_pitch(pitch_hz: float, rng: np.random.Generator) -> None:
    whisper = (0.1 * rng.standard_normal((1, 96_000))).astype(np.float32)
    out = vocoded(whisper, pitch_hz=pitch_hz, carrier="pulse", unvoiced_ratio=0.0)[0, 24_000:72_000]
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out)))) ** 2  # bins of 1 Hz
    harmonics = np.arange(1, int(2_000 / pitch_hz)) * round(pitch_hz)
    near = sum(spectrum[harmonics + offset].sum() for offset in range(-4, 5))
    assert near / spectrum[: harmonics[-1] + round(pitch_hz / 2)].sum() > 0.8
    lag = round(RATE_HZ / pitch_hz)
    assert np.corrcoef(out[lag:], out[:-lag])[0, 1] > 0.7


def test_a_vowels_formants_survive_on_the_carrier() -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    k = np.arange(1, 50)[:, None]
    formant = (np.exp(-(((150 * k - 1_200) / 200) ** 2)) * np.sin(2 * np.pi * 150 * k * time_s)).sum(axis=0)
    out = vocoded((0.1 * formant).astype(np.float32)[None], pitch_hz=90.0)[0, 12_000:]
    spectrum = np.abs(np.fft.rfft(out)) ** 2
    frequencies_hz = np.fft.rfftfreq(len(out), 1 / RATE_HZ)
    centroid_hz = (spectrum * frequencies_hz).sum() / spectrum.sum()
    assert centroid_hz == pytest.approx(1_200.0, abs=100.0)


def test_hiss_turns_the_treble_into_noise_and_vowels_do_not(rng: np.random.Generator) -> None:
    def repeats(signal: Block, unvoiced_ratio: float) -> float:
        """How much the treble of the output repeats with the carrier's period."""
        out = vocoded(signal, pitch_hz=200.0, unvoiced_ratio=unvoiced_ratio)[0, 24_000:]
        spectrum = np.fft.rfft(out)
        spectrum[: int(3_500 * len(out) / RATE_HZ)] = 0.0
        treble = np.fft.irfft(spectrum)
        return float(np.corrcoef(treble[240:], treble[:-240])[0, 1])

    hiss = np.diff(0.1 * rng.standard_normal((1, 60_001)), axis=1).astype(np.float32)
    phase = 2 * np.pi * 120 * np.arange(60_000) / RATE_HZ
    vowel = np.asarray(sum(np.sin(k * phase) / k for k in range(1, 60)) * 0.1).astype(np.float32)[None]
    assert repeats(hiss, 1.0) < 0.3
    assert repeats(hiss, 0.0) > 0.6
    assert repeats(vowel, 1.0) == pytest.approx(repeats(vowel, 0.0), abs=0.02)


def test_a_new_pitch_does_not_click() -> None:
    tone = (0.3 * np.sin(2 * np.pi * 300 * np.arange(48_000) / RATE_HZ)).astype(np.float32)[None]
    node = Vocoder(carrier="sawtooth", pitch_hz=100.0, release_ms=100.0)
    node.prepare(ProcessSpec(RATE_HZ, 12_000, 1))
    out: list[npt.NDArray[np.float32]] = []
    for pitch_hz in (100.0, 150.0, 400.0, 99.0):
        node.update(pitch_hz=pitch_hz)
        piece = np.ascontiguousarray(tone[:, len(out) * 12_000 : (len(out) + 1) * 12_000])
        result = np.empty_like(piece)
        node.process(piece, result)
        out.append(result[0])
    for before, after in pairwise(out):
        joined = np.abs(np.diff(np.concatenate([before[-2_000:], after[:2_000]]), 2))
        assert joined[1_990:2_010].max() <= 1.5 * max(joined[:1_900].max(), joined[2_500:].max())
