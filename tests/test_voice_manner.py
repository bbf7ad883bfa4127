from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from test_voice_converter import HOP, RATE, VOICE, speech_like, streamed
from tiny_networks import write_tiny_networks
from vcfx_dsp.f0_tracker import F0Tracker
from vcfx_models.bands import HARMONIC_CENTRES_HZ
from vcfx_models.converter import VoiceConverter
from vcfx_models.envelope_shaping import EnvelopeShaper
from vcfx_models.errors import ModelError
from vcfx_models.listener import Listener
from vcfx_models.manner import RANGES, Manner
from vcfx_models.melody import PRIOR_LOG_F0, SEMITONE, SourceRange, mapped_log_f0
from vcfx_models.microphone_level import FASTEST_DB_PER_S, HIGHEST_GAIN_DB, LOWEST_GAIN_DB
from vcfx_models.networks_protocol import Singles
from vcfx_models.pause_hush import LOUDEST_PAUSE, MOST, PATIENCE, PauseHush
from vcfx_models.runtime.onnx_networks import OnnxNetworks
from voice_models import random_voice


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> OnnxNetworks:
    return OnnxNetworks(write_tiny_networks(tmp_path_factory.mktemp("flat"), is_flat=True))


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> OnnxNetworks:
    return OnnxNetworks(write_tiny_networks(tmp_path_factory.mktemp("tiny")))


def level_db(signal: Singles) -> float:
    return float(10.0 * np.log10(np.mean(signal.astype(np.float64) ** 2)))


@pytest.mark.parametrize("level_dbfs", [-50.0, -35.0, -24.0, -14.0])
def test_a_microphone_comes_to_the_level_of_the_training_and_back(flat: OnnxNetworks, level_dbfs: float) -> None:
    audio = speech_like(9.0, level_dbfs)
    frames = Listener(flat).hear_many(audio)
    gains = np.array([frame.gain_db for frame in frames]).ravel()
    voiced = np.array([frame.voicing.min() > 0.6 for frame in frames])
    wanted = np.clip(-22.2 - level_db(audio.reshape(-1, HOP)[:-2][voiced[2:]]), LOWEST_GAIN_DB, HIGHEST_GAIN_DB)
    assert abs(gains[-200:].mean() - wanted) < 2.0
    assert np.abs(np.diff(gains)).max() < 1.01 * FASTEST_DB_PER_S * 0.005
    loud, plain = (
        VoiceConverter(flat, VOICE, levels=levels).convert_hops(audio)[-3 * RATE :] for levels in (True, False)
    )
    # The envelopes follow the loudness alone: raised by the gain before, lowered by it behind.
    assert abs(level_db(loud) - level_db(plain)) < 0.3


def test_the_level_keeps_its_gain_through_noise(flat: OnnxNetworks) -> None:
    hiss = (0.001 * np.random.default_rng(1).standard_normal(5 * RATE)).astype(np.float32)
    frames = Listener(flat).hear_many(np.concatenate([speech_like(4.0, -30.0), hiss]))
    gains = np.array([frame.gain_db[0] for frame in frames])
    assert gains[390] > 4.0
    assert abs(gains[-1] - gains[440]) < 1.0


def median_hz(signal: Singles) -> float:
    track = F0Tracker(RATE, 55.0, 600.0).track(signal).f0_hz
    return float(np.median(track[track > 0.0]))


def test_the_melody_comes_to_the_target(flat: OnnxNetworks) -> None:
    audio = speech_like(8.0, median_hz=110.0, breath_s=0.0)
    target_hz = math.exp(VOICE.f0_log_mean)
    for offset in (0.0, 4.0, -5.0):
        spoken = VoiceConverter(flat, VOICE, Manner(pitch_offset_semitones=offset)).convert_hops(audio)
        wanted_hz = target_hz * 2.0 ** (offset / 12.0)
        assert abs(12.0 * math.log2(median_hz(spoken[-3 * RATE :]) / wanted_hz)) < 1.0


def test_expressiveness_0_is_one_note(flat: OnnxNetworks) -> None:
    spoken = VoiceConverter(flat, VOICE, Manner(expressiveness=0.0)).convert_hops(speech_like(3.0, breath_s=0.0))
    track = F0Tracker(RATE, 55.0, 600.0).track(spoken[RATE:]).f0_hz
    voiced = track[track > 0.0]
    assert np.percentile(voiced, 90) / np.percentile(voiced, 10) < 1.01


def test_the_range_of_the_source_is_learned_without_glides() -> None:
    rng, source = np.random.default_rng(2), SourceRange()
    steps = []
    for index in range(6_000):
        before = source.mean
        is_voiced = index % 100 < 60
        source.hear(math.log(230.0) + 0.15 * rng.standard_normal(), 0.9 * is_voiced, 0.9 * is_voiced)
        if is_voiced and index > 500:
            steps.append(abs(source.mean - before))
    assert abs(source.mean - math.log(230.0)) < 0.5 * SEMITONE
    assert abs(source.spread - 0.15) < 0.05
    assert max(steps) / SEMITONE * 200.0 < 2.01  # semitones a second
    source.reset()
    assert source.mean == PRIOR_LOG_F0


def test_the_first_word_finds_the_range() -> None:
    source = SourceRange()
    for _ in range(120):  # 0.6 s of voice without a pause
        source.hear(math.log(230.0), 0.9, 0.9)
    assert abs(source.mean - math.log(230.0)) < 2.0 * SEMITONE


def test_a_source_as_wide_as_the_target_keeps_its_intervals() -> None:
    source = SourceRange()
    low, high = (
        mapped_log_f0(source.mean + offset, source, math.log(200.0), source.spread, 3.0, 1.0) for offset in (0.0, 0.1)
    )
    assert low == pytest.approx(math.log(200.0) + 3.0 * SEMITONE)
    assert high - low == pytest.approx(0.1)
    assert mapped_log_f0(20.0, source, 5.0, 0.2, 0.0, 1.0) == pytest.approx(math.log(900.0))


@given(semitones=st.floats(-6.0, 6.0, allow_subnormal=False))
def test_formants_move_by_their_semitones(semitones: float) -> None:
    shaper = EnvelopeShaper(HARMONIC_CENTRES_HZ)
    peak = np.exp(-0.5 * (12.0 * np.log2(np.maximum(HARMONIC_CENTRES_HZ, 1.0) / 1_500.0) / 4.0) ** 2)
    moved = shaper.warped(peak.astype(np.float32), semitones).astype(np.float64)
    octaves = np.log2(np.maximum(HARMONIC_CENTRES_HZ, 1.0))
    weight = moved * np.gradient(octaves)
    centre = np.sum(weight[1:] * octaves[1:]) / np.sum(weight[1:])
    assert 12.0 * (centre - math.log2(1_500.0)) == pytest.approx(semitones, abs=0.15)


@given(clarity=st.floats(0.1, 1.0), seed=st.integers(0, 99))
def test_clarity_sharpens_and_keeps_the_power(clarity: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.standard_normal((3, HARMONIC_CENTRES_HZ.size)), axis=1).astype(np.float32)
    shaper = EnvelopeShaper(HARMONIC_CENTRES_HZ)
    sharp = shaper.shape(walk, np.zeros(3, np.float32), np.full(3, clarity, np.float32))
    power = [np.log(np.exp(2.0 * rows.astype(np.float64)) @ np.gradient(HARMONIC_CENTRES_HZ)) for rows in (walk, sharp)]
    np.testing.assert_allclose(power[0], power[1], atol=1e-3)
    assert np.std(np.diff(sharp, axis=1)) > np.std(np.diff(walk, axis=1))
    assert shaper.shape(walk, np.zeros(3, np.float32), np.zeros(3, np.float32)) is walk


CHANGES = {
    "pitch_offset_semitones": 5.0,
    "formant_offset_semitones": 4.0,
    "expressiveness": 2.0,
    "similarity": 0.0,
    "clarity": 1.0,
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_control_changed_in_mid_stream_arrives_within_a_hop(networks: OnnxNetworks, name: str) -> None:
    audio = speech_like(1.0)
    changed, plain = VoiceConverter(networks, VOICE), VoiceConverter(networks, VOICE)
    before = changed.convert_hops(audio[: 50 * HOP])
    np.testing.assert_array_equal(before, plain.convert_hops(audio[: 50 * HOP]))
    setattr(changed, name, CHANGES[name])
    after, unchanged = (part.convert_hops(audio[50 * HOP :]) for part in (changed, plain))
    assert np.any(after[:HOP] != unchanged[:HOP])
    assert getattr(changed, name) == CHANGES[name]
    seam = np.abs(np.diff(np.concatenate([before[-HOP:], after[: 2 * HOP]])))
    assert seam.max() < 1.5 * np.abs(np.diff(after)).max()


@pytest.mark.parametrize("name", RANGES)
def test_controls_have_limits(name: str) -> None:
    low, high = RANGES[name]
    for value in (low - 0.01, high + 0.01, math.nan):
        with pytest.raises(ModelError, match=f"{name} is .*; allowed: "):
            replace(Manner(), **{name: value})


def test_another_voice_is_spoken_from_the_next_hop_on(networks: OnnxNetworks) -> None:
    audio, other = speech_like(1.0), random_voice("other")
    changed, from_start = VoiceConverter(networks, VOICE), VoiceConverter(networks, other)
    changed.load(other)
    changed.convert_hops(audio[: 50 * HOP])
    changed.voice = other
    spoken = [part.convert_hops(audio[50 * HOP :])[3 * HOP :] for part in (changed, from_start)]
    from_start.reset()
    theirs = streamed(from_start, audio, [1])[53 * HOP :]
    # The same colour and melody, up to the phase of the pulses: levels of whole hops agree.
    levels = [np.mean(part.reshape(-1, HOP) ** 2, axis=1) for part in (spoken[0], theirs)]
    assert np.median(np.abs(10.0 * np.log10(levels[0] / levels[1]))) < 0.5
    assert changed.voice is other


def test_no_similarity_is_the_same_voice_for_all(networks: OnnxNetworks) -> None:
    audio = speech_like(0.5)
    twin = replace(random_voice("other"), f0_log_mean=VOICE.f0_log_mean, f0_log_spread=VOICE.f0_log_spread)
    neutral, plain = (
        [VoiceConverter(networks, voice, manner).convert_hops(audio) for voice in (VOICE, twin)]
        for manner in (Manner(similarity=0.0), Manner())
    )
    np.testing.assert_allclose(neutral[0], neutral[1], atol=1e-6)
    assert np.abs(plain[0] - plain[1]).max() > 1e-3


@given(cut=st.integers(0, 120))
def test_harmonics_leave_pauses_and_come_back_at_once(cut: int) -> None:
    voicing = np.zeros(120, np.float32)
    voicing[:20] = voicing[100:] = 0.9
    flat, hush, faint = np.ones((120, 3), np.float32), PauseHush(), np.full(120, LOUDEST_PAUSE - 1.0, np.float32)
    cuts = (slice(0, cut), slice(cut, 120))
    parts = [hush.lower(flat[part], voicing[part], voicing[part], faint[part]) for part in cuts]
    lowered = 1.0 - np.concatenate(parts)[:, 0]
    assert not lowered[: 20 + PATIENCE].any()
    assert lowered[99] == MOST
    assert not lowered[100:].any()


def test_what_is_as_loud_as_speech_is_no_pause_even_where_no_voice_is_found() -> None:
    unvoiced = np.zeros(120, np.float32)
    energy = np.full(120, LOUDEST_PAUSE - 1.0, np.float32)
    energy[60] = LOUDEST_PAUSE + 1.0
    lowered = 1.0 - PauseHush().lower(np.ones((120, 3), np.float32), unvoiced, unvoiced, energy)[:, 0]
    assert lowered[59] == MOST
    assert not lowered[60 : 61 + PATIENCE].any()
    assert lowered[61 + PATIENCE] > 0.0
