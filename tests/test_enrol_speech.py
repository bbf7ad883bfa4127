"""What counts as speech, who is heard in several recordings, and what an untrained ear would call noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from vcfx_dsp.resampler import resample_signal
from vcfx_models.enrolment.partials import check_same_person, common_embedding, embedding_of
from vcfx_models.enrolment.speech_activity import filled, only_speech, speech_activity, widened
from vcfx_models.errors import VoiceError
from vcfx_models.geometry import SAMPLE_RATE
from vcfx_models.reference import Clip, heard_clip
from vcfx_models.speech_level import FRAME_SAMPLES, levelled

Floats = npt.NDArray[np.float32]
MALE = Path(__file__).parent / "data" / "male.flac"


def speech() -> Floats:
    sound, rate_hz = soundfile.read(MALE, dtype="float32")
    return levelled(resample_signal(sound[None], rate_hz, SAMPLE_RATE)[0])


def noise(seconds: float, level_dbfs: float) -> Floats:
    hiss = np.random.default_rng(3).standard_normal(int(seconds * SAMPLE_RATE))
    return np.asarray(10 ** (level_dbfs / 20) * hiss, np.float32)


def share(sound: Floats) -> float:
    return float(speech_activity(sound).is_speech.mean())


def test_speech_is_speech_and_pauses_are_not() -> None:
    sound = speech()
    assert 0.5 < share(sound) <= 1.0
    padded = np.concatenate([np.zeros(48_000, np.float32), sound, noise(2.0, -70.0)])
    found = speech_activity(padded)
    edge = 48_000 // FRAME_SAMPLES
    assert not found.is_speech[: edge - 13].any()
    assert not found.is_speech[-87:].any()
    assert found.seconds == pytest.approx(speech_activity(sound).seconds, abs=0.3)


def test_noise_hum_and_clicks_are_no_speech() -> None:
    time_s = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    hum = sum(0.1 / k * np.sin(2 * np.pi * 100 * k * time_s) for k in range(1, 12))
    clicks = np.zeros(4 * SAMPLE_RATE, np.float32)
    clicks[::7_919] = 0.5
    assert share(noise(4.0, -20.0)) == 0.0
    assert share(np.asarray(hum, np.float32)) == 0.0
    assert share(clicks) == 0.0
    assert share(np.zeros(SAMPLE_RATE, np.float32)) == 0.0
    assert speech_activity(np.zeros(100, np.float32)).seconds == 0.0


def test_loud_noise_before_the_speech_does_not_shape_the_voice() -> None:
    sound = speech()
    clean = heard_clip(Clip(sound, SAMPLE_RATE))
    spoilt = heard_clip(Clip(np.concatenate([noise(3.0, -18.0), sound]), SAMPLE_RATE))
    assert spoilt.seconds == pytest.approx(clean.seconds, abs=0.3)
    assert spoilt.speech.size < spoilt.mono.size - 2.7 * SAMPLE_RATE
    np.testing.assert_allclose(np.median(spoilt.log_f0), np.median(clean.log_f0), atol=0.01)


def test_what_is_cut_is_the_same_speech_faded_at_the_cuts() -> None:
    sound = np.ones(10 * FRAME_SAMPLES, np.float32)
    flags = np.array([0, 1, 1, 0, 0, 1, 0, 0, 0, 0], np.bool_)
    kept = only_speech(sound, flags)
    assert kept.size == 3 * FRAME_SAMPLES
    ramp = (np.arange(120) + 0.5) / 120
    np.testing.assert_allclose(kept[:120], ramp, rtol=1e-6)
    np.testing.assert_allclose(kept[2 * FRAME_SAMPLES - 120 : 2 * FRAME_SAMPLES], ramp[::-1], rtol=1e-6)
    assert (kept[120 : 2 * FRAME_SAMPLES - 120] == 1.0).all()
    assert only_speech(sound, np.zeros(10, np.bool_)).size == 0


def test_flags_widen_and_fill() -> None:
    flags = np.array([0, 0, 1, 0, 0, 0, 1, 0, 0], np.bool_)
    assert widened(flags, 1).tolist() == [False, True, True, True, False, True, True, True, False]
    assert filled(flags, 4).tolist() == [False, False, True, True, True, True, True, False, False]
    assert filled(flags, 3).tolist() == flags.tolist()


class CountingEncoder:
    """Says where in the sound it is: cosine and sine of the mean of a ramp."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def embed(self, mono: Floats) -> Floats:
        self.lengths.append(mono.size)
        out = np.zeros(256, np.float32)
        out[len(self.lengths) % 256] = 1.0
        return out


@pytest.mark.parametrize(("seconds", "count"), [(2.0, 1), (3.0, 1), (4.0, 2), (6.0, 3), (120.0, 24)])
def test_partials_are_of_three_seconds_and_overlap(seconds: float, count: int) -> None:
    encoder = CountingEncoder()
    found = embedding_of(noise(seconds, -20.0), encoder)
    assert encoder.lengths == [int(min(seconds, 3.0) * SAMPLE_RATE)] * count
    assert float(np.linalg.norm(found)) == pytest.approx(1.0, abs=1e-5)
    assert np.count_nonzero(found) == count


def at(angle: float) -> Floats:
    out = np.zeros(256, np.float32)
    out[:2] = np.cos(angle), np.sin(angle)
    return out


def test_longer_recordings_weigh_more() -> None:
    assert float(common_embedding([at(0.0), at(1.0)], [3.0, 1.0]) @ at(0.0)) > 0.95
    np.testing.assert_allclose(common_embedding([at(0.0), np.zeros(256, np.float32)], [2.0, 0.0]), at(0.0))


def test_the_recording_of_another_person_is_named() -> None:
    files = ["a.wav", "b.wav", "c.wav"]
    check_same_person([at(0.0), at(0.3), at(-0.3)], [3.0] * 3, files)
    with pytest.raises(VoiceError, match=r"^b\.wav sounds like another person than the other recordings \(likeness 0"):
        check_same_person([at(0.0), at(1.4), at(0.1)], [3.0] * 3, files)
    with pytest.raises(VoiceError, match=r"^a\.wav and b\.wav sound like two people \(likeness 0\.07; needed: 0\.7\)"):
        check_same_person([at(0.0), at(1.5)], [3.0] * 2, files[:2])
    check_same_person([at(0.0), at(1.5)], [3.0, 1.0], files[:2])  # too short to be judged
