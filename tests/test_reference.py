"""Voices from recordings: what is measured is right, and what will not do is refused in one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vcfx_models import log_mel_frames as log_mel
from vcfx_models import reference
from vcfx_models.errors import ModelError, VoiceError
from vcfx_models.reference import Clip, voice_from_clips
from vcfx_models.reference_checks import clipped_percent, speech_to_noise_db
from vcfx_models.speaker_encoder import FILE_NAME, SpeakerEncoder
from vcfx_models.speech_level import Mono, active_level_dbfs, levelled
from vcfx_models.voice_file import Voice
from vcfx_models.voice_vector import spectrum_of_voice

RATE_HZ = 24_000
MALE = Path(__file__).parent / "data" / "male.flac"


class PitchSpeaker:
    """Stands in for the network: says who speaks by how much of the power lies below 185 Hz."""

    def embed(self, mono: Mono) -> Mono:
        power = np.abs(np.fft.rfft(mono)) ** 2
        low = power[: int(185 / RATE_HZ * mono.size)].sum() / power.sum()
        angle = 0.5 * np.pi * low
        out = np.zeros(256, np.float32)
        out[:2] = np.cos(angle), np.sin(angle)
        return out


def speech_like(seconds: float, f0_hz: float = 120.0, rate_hz: int = RATE_HZ, seed: int = 1) -> Mono:
    """Vowels of a wavering pitch with pauses, some hiss: enough of speech for F0, level and noise."""
    frames = int(seconds * rate_hz)
    time_s = np.arange(frames) / rate_hz
    phase = 2 * np.pi * np.cumsum(f0_hz * np.exp(0.1 * np.sin(2 * np.pi * 0.9 * time_s))) / rate_hz
    count = int(min(20, 0.4 * rate_hz / f0_hz))
    tone = np.sum([np.sin(k * phase) / k for k in range(1, count)], axis=0)
    syllables = np.clip(4 * np.sin(2 * np.pi * 1.7 * time_s) + 2.5, 0, 1)
    hiss = np.random.default_rng(seed).standard_normal(frames)
    return np.asarray(0.1 * tone * syllables + 2e-4 * hiss, np.float32)


def made(*clips: Clip) -> Voice:
    return voice_from_clips(clips, "someone", PitchSpeaker())


def test_melody_level_and_spectrum_are_those_of_the_recording() -> None:
    sound = speech_like(6.0)
    voice = made(Clip(0.2 * sound, RATE_HZ))
    assert voice.median_hz == pytest.approx(120.0, rel=0.03)
    assert voice.f0_log_mean == pytest.approx(np.log(120.0), abs=0.03)
    # of a sine of height 0.1 the quartiles lie 0.0707 off the middle
    assert voice.f0_log_spread == pytest.approx(2 * 0.0707 / 1.349, rel=0.25)
    expected = spectrum_of_voice(log_mel.log_mel_frames(levelled(sound)))
    np.testing.assert_allclose(voice.spectrum, expected, atol=0.06)  # pauses are left out, cuts fade
    assert float(np.linalg.norm(voice.embedding)) == pytest.approx(1.0)
    assert sorted(voice.metadata) == ["made_from", "seconds", "usual_pitch"]
    assert voice.metadata["made_from"] == "1 recording"
    # the 5th percentile of a sine of height 0.1 lies 0.0988 below the middle
    lowest, highest = re.fullmatch(r"(\d+) to (\d+) Hz", voice.metadata["usual_pitch"]).groups()  # type: ignore[union-attr]
    assert float(lowest) == pytest.approx(120.0 * np.exp(-0.0988), rel=0.03)
    assert float(highest) == pytest.approx(120.0 * np.exp(0.0988), rel=0.03)
    assert 3.0 < float(voice.metadata["seconds"]) <= 6.0


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_rate_and_channels_of_a_recording_do_not_matter(rate_hz: int) -> None:
    sound = speech_like(6.0, rate_hz=rate_hz)
    voice = made(Clip(np.stack([sound, sound]), rate_hz), Clip(sound[: 4 * rate_hz], rate_hz))
    assert voice.median_hz == pytest.approx(120.0, rel=0.03)
    assert voice.metadata["made_from"] == "2 recordings"


def test_octave_slips_of_the_tracker_have_no_say() -> None:
    plain, halved = speech_like(6.0), speech_like(1.2, f0_hz=60.0)
    melody = reference.melody_of([levelled(plain), levelled(halved)], "clip")
    alone = reference.melody_of([levelled(plain)], "clip")
    assert melody.median_hz == pytest.approx(alone.median_hz, rel=0.02)
    assert melody.log_spread == pytest.approx(alone.log_spread, rel=0.1)


def test_a_real_voice_has_the_pitch_that_is_known_of_it() -> None:
    audio, rate_hz = soundfile.read(MALE, dtype="float32")
    voice = made(Clip(np.concatenate([audio] * (1 + int(4 * rate_hz / audio.size))), rate_hz))
    assert 80.0 < voice.median_hz < 150.0
    assert 0.05 < voice.f0_log_spread < 0.35


def refused(sentence: str, *clips: Clip) -> None:
    with pytest.raises(VoiceError, match=sentence) as caught:
        made(*clips)
    assert "\n" not in str(caught.value)


def test_what_will_not_do_is_named() -> None:
    good = speech_like(6.0)
    rng = np.random.default_rng(2)
    refused("no recording", *())
    refused(r"a\.wav: holds 2 samples that are no numbers", Clip(np.append(good, [np.nan, np.inf]), RATE_HZ, "a.wav"))
    refused(r"a\.wav: is silent; needed", Clip(np.zeros(RATE_HZ * 5, np.float32), RATE_HZ, "a.wav"))
    refused(r"a\.wav: is as quiet as -8\d dBFS", Clip(1e-3 * good, RATE_HZ, "a.wav"))
    refused(r"a\.wav: is empty", Clip(np.zeros(0, np.float32), RATE_HZ, "a.wav"))
    refused(r"a\.wav: its rate is 4000 Hz; allowed: 8000 to 192000", Clip(good, 4_000, "a.wav"))
    refused(r"a\.wav: [12]\.\d s of speech; needed: 3 s, better 5 s", Clip(good[: 2 * RATE_HZ], RATE_HZ, "a.wav"))
    refused(r"a\.wav: \d+\.\d % of its samples are clipped; allowed: 1 %", Clip(_clipped(good), RATE_HZ, "a.wav"))
    noisy = good + 10 ** (active_level_dbfs(good) / 20) * rng.standard_normal(good.size).astype(np.float32)
    refused(r"a\.wav: its speech is -?\d dB above its noise; needed: 5 dB", Clip(noisy, RATE_HZ, "a.wav"))
    hissing = (np.sin(2.9 * np.arange(good.size)) * (np.arange(good.size) % 9_600 < 8_000)).astype(np.float32)
    refused(r"a\.wav: 0\.0 s of speech; needed: 3 s", Clip(0.1 * hissing + 1e-4, RATE_HZ, "a.wav"))
    with pytest.raises(VoiceError, match=r"a\.wav: hold 495 ms of voiced speech; needed: 500 ms"):
        reference.melody_of_logs(np.full(99, 4.8), "a.wav")


def test_a_recording_without_speech_among_others_is_named() -> None:
    good = speech_like(6.0)
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    beeps = np.asarray(0.1 * np.sin(2 * np.pi * 440 * time_s) * (time_s % 2 < 1), np.float32)
    refused(
        r"b\.wav: no speech is heard in it; leave it out", Clip(good, RATE_HZ, "a.wav"), Clip(beeps, RATE_HZ, "b.wav")
    )


def _clipped(sound: Mono) -> Mono:
    return np.asarray(np.clip(30.0 * sound, -1.0, 1.0), np.float32)


def test_two_speakers_are_noticed() -> None:
    low, high = speech_like(7.0, 110.0), speech_like(7.0, 260.0)
    refused("two people seem to speak", Clip(np.concatenate([low, high]), RATE_HZ))
    refused(
        r"a\.wav and b\.wav sound like two people \(likeness 0",
        Clip(low, RATE_HZ, "a.wav"),
        Clip(high, RATE_HZ, "b.wav"),
    )
    made(Clip(np.concatenate([low, low[::-1]]), RATE_HZ))


def test_clipping_is_told_from_loudness() -> None:
    sine = np.sin(2 * np.pi * 100 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)[None]
    assert clipped_percent(0.5 * np.clip(4 * sine, -1, 1)) == 0.0  # flat, but not by full scale: a matter of taste
    assert clipped_percent(np.clip(4 * sine, -1, 1)) == pytest.approx(100 * (1 - 2 * np.arcsin(0.25) / np.pi), abs=1.0)
    assert clipped_percent(np.clip(speech_like(2.0) * 3, -1, 1)[None]) < 1.0


@pytest.mark.parametrize("ratio_db", [5.0, 10.0, 20.0])
def test_noise_is_estimated_within_three_decibels(ratio_db: float) -> None:
    sound = speech_like(6.0)
    noise = np.random.default_rng(4).standard_normal(sound.size)
    noisy = sound + 10 ** ((active_level_dbfs(sound) - ratio_db) / 20) * noise
    assert speech_to_noise_db(noisy.astype(np.float32)) == pytest.approx(ratio_db, abs=3.0)


def test_levelling_is_to_minus_24_dbfs_or_less_for_a_peak() -> None:
    assert active_level_dbfs(levelled(0.03 * speech_like(3.0))) == pytest.approx(-24.0, abs=0.1)
    clicks = np.zeros(RATE_HZ, np.float32)
    clicks[::480] = 0.001
    assert float(np.abs(levelled(clicks)).max()) == pytest.approx(0.99, rel=1e-5)
    assert not levelled(np.zeros(960, np.float32)).any()


def test_frames_are_those_of_the_geometry() -> None:
    sound = speech_like(0.5)
    frames = log_mel.log_mel_frames(sound)
    assert frames.shape == (sound.size // 240, 80)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    padded = np.concatenate([np.zeros(272, np.float32), sound])
    from vcfx_dsp.mel import mel_filterbank

    power = np.abs(np.fft.rfft(padded[240 * 30 : 240 * 30 + 512] * window)) ** 2
    expected = np.log(np.maximum(mel_filterbank(RATE_HZ, 512, 80, 0.0, 8_000.0) @ power, 1e-7))
    np.testing.assert_allclose(frames[30], expected, atol=1e-4)


def test_a_missing_or_damaged_network_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no speaker network .*speaker\.onnx"):
        SpeakerEncoder(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"rubbish")
    with pytest.raises(ModelError, match=r"speaker\.onnx is damaged or no speaker network") as caught:
        SpeakerEncoder(tmp_path)
    assert "\n" not in str(caught.value)
