from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_networks import write_tiny_networks
from tools.train.batches import BatchMaker, _held
from tools.train.corpus_f0 import f0_frames
from tools.train.front_end import PAST_SAMPLES, energy_pairs, log_mel, power_frames, warped_filterbank
from vcfx_dsp.f0_tracker import F0Tracker
from vcfx_models import geometry as grid
from vcfx_models.converter import VoiceConverter
from vcfx_models.errors import ModelError
from vcfx_models.frames import FRAME_BYTES, VoiceFrame
from vcfx_models.listener import Listener
from vcfx_models.manner import Manner
from vcfx_models.networks_protocol import Memory, Singles
from vcfx_models.runtime.onnx_networks import OnnxNetworks
from voice_models import random_voice

RATE, HOP = grid.SAMPLE_RATE, grid.HOP_SAMPLES
VOICE = random_voice("target")


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> OnnxNetworks:
    return OnnxNetworks(write_tiny_networks(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> OnnxNetworks:
    return OnnxNetworks(write_tiny_networks(tmp_path_factory.mktemp("flat"), is_flat=True))


def speech_like(seconds: float, level_dbfs: float = -24.0, median_hz: float = 140.0, breath_s: float = 0.15) -> Singles:
    """Harmonics with vibrato and a slow tremble, in syllables of 0.6 s that end in breath."""
    time = np.arange(int(seconds * RATE)) / RATE
    f0_hz = median_hz * np.exp(0.15 * np.sin(2.0 * np.pi * 1.3 * time))
    phase = 2.0 * np.pi * np.cumsum(f0_hz) / RATE
    voiced = sum(np.cos(k * phase + k) / k for k in range(1, 25)) * (0.6 + 0.4 * np.sin(2.0 * np.pi * 3.0 * time))
    hiss = np.random.default_rng(1).standard_normal(time.size)
    mix = np.where(time % 0.6 < 0.6 - breath_s, voiced, 0.2 * hiss)
    mix *= 10.0 ** (level_dbfs / 20.0) / np.sqrt(np.mean(mix**2))
    return mix[: mix.size // HOP * HOP].astype(np.float32)


def streamed(converter: VoiceConverter, audio: Singles, hops: list[int]) -> Singles:
    """The audio in blocks of so many hops, over and over."""
    place = 0
    parts: list[Singles] = []
    while place < audio.size:
        size = hops[len(parts) % len(hops)] * HOP
        parts.append(converter.convert_hops(audio[place : place + size]))
        place += size
    return np.concatenate(parts)


class MelKeeper:
    """Networks that only write down what the encoder is shown."""

    neutral_voice = np.zeros(grid.VOICE_SIZE, np.float32)

    def __init__(self) -> None:
        self.shown: list[Singles] = []

    def empty_encoder_memory(self) -> Memory:
        return []

    def encode(self, log_mel: Singles, memory: Memory) -> tuple[Singles, Memory]:
        self.shown.append(log_mel.copy())
        return np.zeros((len(log_mel), grid.CONTENT_SIZE), np.float32), memory


def melody_of_training(audio: Singles, hops: int) -> tuple[Singles, Singles, Singles]:
    """What `BatchMaker` makes of a clip: (hops, 3, 2), and the track it comes from."""
    f0_hz, strength = f0_frames(audio)
    starts = np.array([0])
    corpus = SimpleNamespace(
        f0_hz=f0_hz, strength=strength, held_f0_hz=_held(f0_hz, starts), f0_start=starts, frames=np.array([audio.size])
    )
    maker: Any = SimpleNamespace(corpus=corpus, hops=hops)
    return BatchMaker._melody(maker, 0, 0, 0), f0_hz, strength


def test_the_listener_hears_what_the_training_heard() -> None:
    audio = speech_like(2.0)
    hops = audio.size // HOP
    keeper = MelKeeper()
    heard = Listener(keeper, levels=False).hear_many(audio)  # type: ignore[arg-type]
    padded = torch.from_numpy(np.concatenate([np.zeros(PAST_SAMPLES, np.float32), audio]))[None]
    mel = log_mel(power_frames(padded), warped_filterbank(1.0))
    np.testing.assert_allclose(np.concatenate(keeper.shown), mel[0].numpy(), atol=1e-4)
    energy = np.stack([frame.energy for frame in heard])
    np.testing.assert_allclose(energy, energy_pairs(mel)[0].numpy(), atol=1e-4)
    melody, f0_hz, _ = melody_of_training(audio, hops)
    first = int(np.flatnonzero(f0_hz)[0]) // grid.SUBFRAMES + 3  # before, the training looked ahead
    for row, name in enumerate(("f0_hz", "voicing", "strength")):
        ours = np.stack([getattr(frame, name) for frame in heard])
        ours = np.log(ours) if name == "f0_hz" else ours
        np.testing.assert_allclose(ours[first:], melody[first:, row], atol=1e-4, err_msg=name)
    assert np.mean(melody[:, 1] > 0.0) > 0.5


@settings(max_examples=8)
@given(hops=st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_any_partition_gives_the_same_voice(networks: OnnxNetworks, hops: list[int]) -> None:
    audio = speech_like(0.6)
    converter = VoiceConverter(networks, VOICE, Manner(pitch_offset_semitones=2.0, clarity=0.3))
    whole = converter.convert_hops(audio)
    converter.reset()
    np.testing.assert_allclose(streamed(converter, audio, hops), whole, atol=1e-4)


def test_a_reset_gives_the_same_bits(networks: OnnxNetworks) -> None:
    audio = speech_like(0.6)
    converter = VoiceConverter(networks, VOICE)
    first = streamed(converter, audio, [1])
    converter.reset()
    np.testing.assert_array_equal(streamed(converter, audio, [1]), first)


@settings(max_examples=8)
@given(place=st.integers(0, 40 * HOP - 1))
def test_what_is_spoken_does_not_know_the_future(networks: OnnxNetworks, place: int) -> None:
    audio = speech_like(0.6)[: 45 * HOP]
    changed = audio.copy()
    changed[place:] += 0.05
    before, after = (streamed(VoiceConverter(networks, VOICE), signal, [1]) for signal in (audio, changed))
    known = place // HOP * HOP  # the hop that holds the change is the first to show it
    np.testing.assert_array_equal(before[:known], after[:known])
    assert np.any(before[known:] != after[known:])


def lag_samples(one: Singles, other: Singles, step: int) -> float:
    """By how much the second path is late, from where they correlate best; step: samples between values."""
    span = one.size - 16
    found = np.array([np.corrcoef(one[:span], other[lag : lag + span])[0, 1] for lag in range(16)])
    peak = int(np.clip(np.argmax(found), 1, 14))
    left, middle, right = found[peak - 1 : peak + 2]
    return float((peak + 0.5 * (left - right) / (left - 2.0 * middle + right)) * step)


def test_the_melody_is_late_by_the_latency(flat: OnnxNetworks) -> None:
    time = np.arange(4 * RATE) / RATE
    phase = np.cumsum(2.0 * np.pi / RATE * 140.0 * np.exp(0.08 * np.sin(2.0 * np.pi * 2.5 * time)))
    audio = (0.01 * np.sum([np.cos(k * phase) for k in range(1, 30)], axis=0)).astype(np.float32)
    converter = VoiceConverter(flat, replace(VOICE, f0_log_mean=math.log(140.0), f0_log_spread=0.06))
    spoken = streamed(converter, audio, [10])
    tracks = [np.log(F0Tracker(RATE).track(signal).f0_hz[200:] + 1.0) for signal in (audio, spoken)]
    assert converter.latency_samples == 600
    # The tracker's delay is 3.5 subframes and counted as 4, in training, too.
    assert abs(lag_samples(tracks[0], tracks[1], 120) - (converter.latency_samples - 60)) < 60


def test_the_loudness_is_late_by_the_latency(flat: OnnxNetworks) -> None:
    time = np.arange(6 * RATE) / RATE
    noise = np.random.default_rng(4).standard_normal(time.size)
    audio = (0.1 * noise * (1.0 + 0.8 * np.sin(2.0 * np.pi * 5.0 * time))).astype(np.float32)
    converter = VoiceConverter(flat, VOICE)
    spoken = streamed(converter, audio, [10])
    levels = [np.log(np.mean(signal.reshape(-1, 120)[100:] ** 2, axis=1)) for signal in (audio, spoken)]
    smooth = [np.convolve(level, np.hanning(11) / 5.0, "valid").astype(np.float32) for level in levels]
    assert abs(lag_samples(smooth[0], smooth[1], 120) - converter.latency_samples) < 60


def test_a_whole_signal_comes_in_line_and_as_long(flat: OnnxNetworks) -> None:
    audio = np.concatenate([np.zeros(12_000, np.float32), speech_like(0.5), np.zeros(7_001, np.float32)])
    spoken = VoiceConverter(flat, VOICE).convert_signal(audio)
    assert spoken.shape == audio.shape
    assert not np.any(spoken[: 12_000 - 2 * HOP])
    assert np.sqrt(np.mean(spoken[12_600:20_000] ** 2)) > 0.01


def test_frames_cross_the_wire_in_154_bytes(networks: OnnxNetworks) -> None:
    frame = Listener(networks).hear_many(speech_like(0.5))[-1]
    data = frame.to_bytes()
    assert len(data) == FRAME_BYTES == 154
    back = VoiceFrame.from_bytes(data)
    np.testing.assert_array_equal(back.f0_hz, frame.f0_hz)
    for name in ("content", "voicing", "strength", "energy", "gain_db"):
        np.testing.assert_allclose(getattr(back, name), getattr(frame, name), rtol=1e-3, atol=1e-3)
    assert back.is_silent == frame.is_silent
    assert back.to_bytes() == data
    with pytest.raises(ModelError, match="has 153 bytes; allowed: 154"):
        VoiceFrame.from_bytes(data[:-1])
    with pytest.raises(ModelError, match="has version 9"):
        VoiceFrame.from_bytes(b"\x09" + data[1:])
    with pytest.raises(ModelError, match="not finite"):
        VoiceFrame.from_bytes(data[:2] + b"\xff" * 8 + data[10:])


def test_silence_becomes_silence_and_sound_comes_back(networks: OnnxNetworks) -> None:
    converter = VoiceConverter(networks, VOICE)
    assert not np.any(converter.convert_hops(np.zeros(20 * HOP, np.float32)))
    audio = np.concatenate([speech_like(0.5), np.zeros(60 * HOP, np.float32), speech_like(0.5)])
    levels = np.abs(streamed(converter, audio, [7])).reshape(-1, HOP).max(axis=1)
    end = 50  # hops of speech
    assert np.all(levels[end + 1 : end + 30] > 0.0)
    assert not np.any(levels[end + 36 : end + 60])
    assert np.all(levels[end + 60 + 2 : end + 60 + 40] > 0.0)
    assert levels[end + 60 + 3] > 1e-3


def test_nonsense_at_the_input_stays_there(networks: OnnxNetworks) -> None:
    audio = speech_like(0.5)
    audio[1_000:1_300] = np.nan
    audio[2_000], audio[2_001] = np.inf, -3e38
    assert np.all(np.isfinite(VoiceConverter(networks, VOICE).convert_hops(audio)))
    for wrong in (np.zeros(239, np.float32), np.zeros(240), np.zeros((1, 240), np.float32)):
        with pytest.raises(ModelError, match="shape"):
            VoiceConverter(networks, VOICE).convert_hop(wrong)  # type: ignore[arg-type]
