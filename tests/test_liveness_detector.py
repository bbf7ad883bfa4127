"""The detector of live voices: what it looks at, what it refuses to load, and that it tells known clips apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import scipy.signal
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from vcfx_dsp.resampler import resample_signal
from vcfx_models.errors import ModelError, VoiceError
from vcfx_models.liveness.answer_coding import PEAK, answer_coded
from vcfx_models.liveness.live_detector import FILE_NAME, LiveDetector
from vcfx_models.liveness.speech_spectrum import (
    HOP_SAMPLES,
    N_BANDS,
    RANGE_DB,
    RATE_HZ,
    band_levels_db,
    is_speech,
    speech_spectrum,
)
from vcfx_models.network_files import weights_folder
from vcfx_models.speech_level import Mono

ROOT = Path(__file__).resolve().parents[1]


def clip(path: Path) -> Mono:
    sound, rate_hz = soundfile.read(path, dtype="float32")
    return np.asarray(resample_signal(sound[None], rate_hz, RATE_HZ)[0], np.float32)


@pytest.fixture(scope="module")
def speech() -> Mono:
    return clip(ROOT / "tests" / "data" / "male.flac")


@pytest.fixture(scope="module")
def detector() -> LiveDetector:
    return LiveDetector()


@pytest.mark.parametrize("frequency_hz", [140.0, 1_000.0, 4_321.0, 7_300.0])
def test_a_tone_is_in_its_band(frequency_hz: float) -> None:
    tone = np.sin(2 * np.pi * frequency_hz / RATE_HZ * np.arange(RATE_HZ)).astype(np.float32)
    levels_db = band_levels_db(tone)
    lowest_hz = 2.5 * RATE_HZ / 512  # half a bin below the first
    assert abs(levels_db.mean(axis=0).argmax() - (frequency_hz - lowest_hz) / 62.5) < 1.0
    assert levels_db.shape == ((RATE_HZ - 512) // HOP_SAMPLES + 1, N_BANDS)
    assert levels_db.max() == pytest.approx(0.0, abs=1e-4)


def test_bands_are_those_of_a_plain_spectrogram(speech: Mono) -> None:
    frequencies, _, power = scipy.signal.spectrogram(
        speech, RATE_HZ, np.hanning(512), noverlap=512 - HOP_SAMPLES, detrend=False, mode="psd"
    )
    first = int(np.flatnonzero(frequencies == 93.75)[0])
    bands = power[first : first + 2 * N_BANDS].reshape(N_BANDS, 2, -1).sum(axis=1).T
    expected_db = np.maximum(10 * np.log10(bands / bands.max() + 1e-30), -RANGE_DB)
    np.testing.assert_allclose(band_levels_db(speech), expected_db, atol=0.01)


@settings(deadline=None, max_examples=10)
@given(st.floats(1e-3, 30.0))
def test_level_does_not_matter(gain: float) -> None:
    speech = clip(ROOT / "tests" / "data" / "male.flac")[:32_000]
    np.testing.assert_allclose(speech_spectrum(np.float32(gain) * speech), speech_spectrum(speech), atol=2e-3)


def test_a_fixed_filter_hardly_matters(speech: Mono) -> None:
    dull = scipy.signal.lfilter([0.6], [1.0, -0.4], speech).astype(np.float32)
    levels = [band_levels_db(sound) for sound in (speech, dull)]
    spoken = is_speech(levels[0])
    plain, filtered = (found[spoken] - found[spoken].mean(axis=0) for found in levels)
    assert np.sqrt(np.mean(np.square(levels[0] - levels[1])[spoken])) > 4.0
    assert np.sqrt(np.mean(np.square(plain - filtered))) < 2.0  # what the filter pushed below the range


def test_pauses_are_left_out(speech: Mono) -> None:
    pause = 1e-4 * np.random.default_rng(1).standard_normal(2 * RATE_HZ).astype(np.float32)
    alone = speech_spectrum(speech).shape[0]
    assert abs(speech_spectrum(np.concatenate([pause, speech, pause])).shape[0] - alone) <= 6


@pytest.mark.parametrize("gain", [1e-4, 1.0, 30.0])
def test_the_coding_keeps_length_place_and_level(speech: Mono, gain: float) -> None:
    heard = answer_coded(np.float32(gain) * speech)
    assert heard.dtype == np.float32
    assert heard.shape == speech.shape
    assert np.corrcoef(heard, speech)[0, 1] > 0.95
    assert np.abs(heard).max() == pytest.approx(PEAK, rel=0.25)


@pytest.mark.parametrize("frames", [0, 1, 100, 5_000])
def test_the_coding_takes_scraps_and_silence(frames: int) -> None:
    np.testing.assert_array_equal(answer_coded(np.zeros(frames, np.float32)), 0.0)
    assert answer_coded(np.ones(frames, np.float32)).shape == (frames,)


@pytest.mark.parametrize("frames", [0, 1, 511])
def test_scraps_have_no_frames(frames: int) -> None:
    assert speech_spectrum(np.ones(frames, np.float32)).shape == (0, N_BANDS)


def test_too_little_speech_is_refused(detector: LiveDetector, speech: Mono) -> None:
    with pytest.raises(VoiceError, match=r"the answer holds 0\.\d s of speech; needed: 1 s"):
        detector.score(speech[: RATE_HZ // 2])


def test_the_same_sound_gets_the_same_score(detector: LiveDetector, speech: Mono) -> None:
    assert detector.score(speech) == detector.score(speech)
    assert detector.score(0.1 * speech) == pytest.approx(detector.score(speech), abs=1.5)  # rounding moves the coder


def test_no_more_than_twenty_seconds_are_listened_to(detector: LiveDetector, speech: Mono) -> None:
    long = np.tile(speech, 8)
    seconds = speech_spectrum(long).shape[0] * HOP_SAMPLES / RATE_HZ
    assert seconds > 30.0
    np.testing.assert_allclose(detector.score_coded(long), detector.judge(speech_spectrum(long)[:2_000]))


def test_every_answer_is_coded_twice(detector: LiveDetector, speech: Mono) -> None:
    assert detector.score(speech) == detector.score_coded(answer_coded(answer_coded(speech)))
    assert detector.score(speech) != detector.score_coded(answer_coded(speech))


@pytest.mark.parametrize("kind", ["noise", "tone", "clipped", "loud", "faint"])
def test_odd_sounds_get_a_score(detector: LiveDetector, speech: Mono, kind: str) -> None:
    sounds = {
        "noise": np.random.default_rng(1).standard_normal(speech.size),
        "tone": np.sin(0.2 * np.arange(speech.size)),
        "clipped": np.clip(20.0 * speech, -1.0, 1.0),
        "loud": 1e4 * speech,
        "faint": 1e-4 * speech,
    }
    assert abs(detector.score(sounds[kind].astype(np.float32))) < 50.0


def test_the_network_hears_what_is_said_and_when(detector: LiveDetector, speech: Mono) -> None:
    spectrum = speech_spectrum(speech)
    assert abs(detector.judge(spectrum[:200]) - detector.judge(spectrum[200:])) > 0.01
    assert abs(detector.judge(spectrum) - detector.judge(np.random.default_rng(1).permutation(spectrum))) > 0.1


def test_the_network_is_small() -> None:
    assert (weights_folder() / FILE_NAME).stat().st_size < 1_000_000


def test_a_missing_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no network .*liveness\.onnx"):
        LiveDetector(tmp_path)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_damaged_network_is_named(tmp_path: Path, kept: float) -> None:
    data = (weights_folder() / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(data[: int(kept * len(data))])
    with pytest.raises(ModelError, match="damaged or no detector"):
        LiveDetector(tmp_path)


@pytest.mark.parametrize("changed", [{"format": "another"}, {"least_score": "high"}, {"format_version": "2"}])
def test_another_format_is_refused(tmp_path: Path, changed: dict[str, str]) -> None:
    model = onnx.load(weights_folder() / FILE_NAME)
    said = {entry.key: entry.value for entry in model.metadata_props} | changed
    onnx.helper.set_model_props(model, said)
    onnx.save(model, tmp_path / FILE_NAME)
    with pytest.raises(ModelError, match="damaged or no detector"):
        LiveDetector(tmp_path)
