from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

import vcfx
from reference.mel import log_mel
from vcfx_dsp.errors import ParameterError
from vcfx_dsp.mel import LogMel, hz_of_mel, mel_filterbank, mel_of_hz

CLIP = Path(vcfx.__file__).parent / "data" / "clip.flac"
Mono = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def clip() -> tuple[Mono, int]:
    samples, rate_hz = soundfile.read(CLIP, dtype="float32")
    return samples, rate_hz


def streamed(mel: LogMel, signal: Mono, sizes: list[int]) -> npt.NDArray[np.float32]:
    frames, start = [], 0
    for size in [*sizes, *([mel.max_frames] * (len(signal) // mel.max_frames + 1))]:
        frames.append(mel.process(signal[start : start + size]).copy())
        start += size
    return np.concatenate(frames, axis=1)


@pytest.mark.parametrize(
    ("rate_hz", "n_fft", "n_mels", "f_min_hz", "f_max_hz"),
    [(16_000, 512, 40, 0.0, 8_000.0), (24_000, 1_024, 80, 0.0, 12_000.0), (48_000, 2_048, 100, 50.0, 16_000.0)],
)
def test_filters_equal_librosas(rate_hz: int, n_fft: int, n_mels: int, f_min_hz: float, f_max_hz: float) -> None:
    expected = librosa.filters.mel(
        sr=rate_hz, n_fft=n_fft, n_mels=n_mels, fmin=f_min_hz, fmax=f_max_hz, htk=False, norm="slaney", dtype=np.float64
    )
    ours = mel_filterbank(rate_hz, n_fft, n_mels, f_min_hz, f_max_hz)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


@given(frequency_hz=st.floats(0.0, 96_000.0))
def test_the_mel_scale_can_be_undone(frequency_hz: float) -> None:
    assert hz_of_mel(mel_of_hz(frequency_hz)) == pytest.approx(frequency_hz, rel=1e-12, abs=1e-12)


def test_the_mel_scale_at_known_points() -> None:
    np.testing.assert_allclose(mel_of_hz([0.0, 1_000.0, 6_400.0]), [0.0, 15.0, 42.0], atol=1e-12)


SETTINGS: list[dict[str, Any]] = [
    {"n_fft": 1_024, "hop_length": 240, "n_mels": 80},
    {"n_fft": 512, "hop_length": 120, "win_length": 480, "n_mels": 40, "f_max_hz": 8_000.0},
    {"n_fft": 4_096, "hop_length": 5_000, "n_mels": 100, "f_min_hz": 40.0, "power": 1},
    {"n_fft": 128, "hop_length": 1_000, "win_length": 101, "n_mels": 10},
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_speech_equals_librosas_spectrogram(setting: dict[str, Any], clip: tuple[Mono, int]) -> None:
    samples, rate_hz = clip
    given = {"win_length": None, "power": 2, "f_min_hz": 0.0, "f_max_hz": None, **setting}
    expected = librosa.feature.melspectrogram(
        y=samples.astype(np.float64),
        sr=rate_hz,
        n_fft=given["n_fft"],
        hop_length=given["hop_length"],
        win_length=given["win_length"],
        n_mels=given["n_mels"],
        fmin=given["f_min_hz"],
        fmax=given["f_max_hz"],
        power=given["power"],
        window="hann",
        center=False,
    )
    ours = streamed(LogMel(rate_hz, **setting), samples, [])
    np.testing.assert_allclose(ours, np.log(np.maximum(expected, 1e-10)), rtol=0, atol=1e-4)
    np.testing.assert_allclose(ours, log_mel(samples, rate_hz, **given), rtol=0, atol=1e-4)


@given(sizes=st.lists(st.integers(0, 700), max_size=20), setting=st.sampled_from(SETTINGS))
def test_any_split_gives_the_same_bits(sizes: list[int], setting: dict[str, Any]) -> None:
    signal = np.random.default_rng(4).uniform(-1, 1, 12_000).astype(np.float32)
    mel = LogMel(24_000, **setting, max_frames=12_000)
    whole = mel.process(signal).copy()
    mel.reset()
    np.testing.assert_array_equal(streamed(mel, signal, sizes), whole)
    assert whole.shape[1] == (12_000 - setting["n_fft"]) // setting["hop_length"] + 1


def test_the_first_frame_comes_with_its_last_sample_and_an_impulse_after_the_latency() -> None:
    mel = LogMel(16_000, n_fft=256, hop_length=1, n_mels=20)
    assert mel.process(np.zeros(255, np.float32)).shape == (20, 0)
    assert mel.process(np.zeros(1, np.float32)).shape == (20, 1)
    impulse = np.zeros(300, np.float32)
    impulse[10] = 1.0
    loudness = mel.process(impulse).sum(axis=0)
    assert loudness.argmax() == 10 + mel.latency_samples - 1  # the window's peak lies just behind the middle


def test_silence_reads_the_floor() -> None:
    mel = LogMel(16_000, n_fft=256, hop_length=256, n_mels=20, floor=1e-5)
    np.testing.assert_array_equal(mel.process(np.zeros(1_024, np.float32)), np.float32(np.log(1e-5)))


def test_processing_allocates_no_array(rng: np.random.Generator) -> None:
    mel = LogMel(24_000)
    block = rng.standard_normal(4_096).astype(np.float32)
    mel.process(block)
    tracemalloc.start()
    for _ in range(20):
        mel.process(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_096


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_fft": 1_000}, "n_fft is 1000; allowed: powers of two from 128 to 4096"),
        ({"n_fft": 8_192}, "n_fft is 8192; allowed: 128 to 4096"),
        ({"hop_length": 0}, "hop_length is 0"),
        ({"win_length": 2_000}, "win_length is 2000; allowed: 1 to 1024"),
        ({"f_max_hz": 20_000.0}, "f_max_hz is 20000.0; allowed: 1 to 12000"),
        ({"f_min_hz": 9_000.0, "f_max_hz": 8_000.0}, "f_min_hz is 9000.0"),
        ({"power": 3}, "power is 3; allowed: 1 to 2"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        LogMel(24_000, **wrong)


def test_a_block_that_is_too_long_is_refused() -> None:
    with pytest.raises(ParameterError, match="one row of 0 to 64 frames"):
        LogMel(24_000, max_frames=64).process(np.zeros(65, np.float32))


@pytest.mark.parametrize(
    ("block", "message"),
    [(np.zeros(64), "contiguous float64"), (np.zeros(64, np.float32)[::2], "strided float32")],
)
def test_a_block_that_would_compile_anew_is_refused(block: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        LogMel(24_000).process(block)
