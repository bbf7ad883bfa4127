"""The detector of live voices: what it looks at, what it refuses to load, and that it tells known clips apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
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
    BANDS_HZ,
    FINE_BANDS,
    HOP_SAMPLES,
    N_BANDS,
    RANGE_DB,
    RATE_HZ,
    SHORT_BANDS,
    SHORTS,
    band_levels_db,
    centred,
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
def test_a_tone_is_in_its_bands(frequency_hz: float) -> None:
    tone = np.sin(2 * np.pi * frequency_hz / RATE_HZ * np.arange(RATE_HZ)).astype(np.float32)
    levels_db = band_levels_db(tone)
    mean_db = levels_db.mean(axis=0)
    assert abs(BANDS_HZ[mean_db[:FINE_BANDS].argmax()] - frequency_hz) < 16.0
    for at in range(FINE_BANDS, N_BANDS, SHORT_BANDS):
        assert abs(BANDS_HZ[at + mean_db[at : at + SHORT_BANDS].argmax()] - frequency_hz) <= 190.0
    assert levels_db.shape == ((RATE_HZ - 512) // HOP_SAMPLES + 1, N_BANDS)
    assert mean_db[:FINE_BANDS].max() == pytest.approx(0.0, abs=0.2)


def test_bands_are_those_of_plain_spectrograms(speech: Mono) -> None:
    found = band_levels_db(speech)
    fine = spectrogram(speech, 512, HOP_SAMPLES)[3:237].T
    short = spectrogram(speech[132:], 128, 40)[1:59].reshape(SHORT_BANDS, 2, -1).sum(axis=1).T
    short = short[: SHORTS * fine.shape[0]]
    np.testing.assert_allclose(found[:, :FINE_BANDS], in_db(fine), atol=0.01)
    np.testing.assert_allclose(found[:, FINE_BANDS:], in_db(short).reshape(fine.shape[0], -1), atol=0.01)


def spectrogram(sound: Mono, window_samples: int, hop_samples: int) -> npt.NDArray[np.float64]:
    window, overlap = np.hanning(window_samples), window_samples - hop_samples
    power = scipy.signal.spectrogram(sound, RATE_HZ, window, noverlap=overlap, detrend=False, mode="psd")[2]
    return np.asarray(power, np.float64)


def in_db(bands: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.maximum(10 * np.log10(bands / bands.max() + 1e-30), -RANGE_DB), np.float64)


def test_the_short_windows_of_a_frame_keep_what_differs_between_them() -> None:
    clicks = np.zeros(RATE_HZ, np.float32)
    clicks[256::160] = 1.0  # one for each frame, in its middle
    fine, short = np.split(centred(band_levels_db(clicks + 1e-4)), [FINE_BANDS], axis=1)
    assert np.abs(fine[5:-5]).max() < 0.05
    levels = short.reshape(-1, SHORTS, SHORT_BANDS)[5:-5].mean(axis=(0, 2))
    assert levels[1:3].min() > levels[[0, 3]].max() + 0.2


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


@pytest.mark.parametrize("changed", [{"format": "another"}, {"least_score": "high"}, {"format_version": "1"}])
def test_another_format_is_refused(tmp_path: Path, changed: dict[str, str]) -> None:
    model = onnx.load(weights_folder() / FILE_NAME)
    said = {entry.key: entry.value for entry in model.metadata_props} | changed
    onnx.helper.set_model_props(model, said)
    onnx.save(model, tmp_path / FILE_NAME)
    with pytest.raises(ModelError, match="damaged or no detector"):
        LiveDetector(tmp_path)
