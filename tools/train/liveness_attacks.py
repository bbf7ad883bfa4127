"""Attacks made of recordings: vocoders that copy them, our own converter, another pitch, another loudspeaker."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import soxr

from vcfx_models.converter import VoiceConverter
from vcfx_models.geometry import SAMPLE_RATE
from vcfx_models.load_networks import load_networks
from vcfx_models.voice_file import Voice
from vcfx_models.voice_library import find_voice, list_voices

from .liveness_material import RATE_HZ, Mono


def griffin_lim(mono: Mono, rng: np.random.Generator) -> Mono:
    """Return speech rebuilt from its magnitudes alone; for half the draws from 80 mel bands of them."""
    import librosa

    magnitudes = np.abs(librosa.stft(mono, n_fft=1_024, hop_length=256))
    if rng.random() < 0.5:
        bank = librosa.filters.mel(sr=RATE_HZ, n_fft=1_024, n_mels=80)
        magnitudes = np.maximum(np.linalg.pinv(bank) @ (bank @ magnitudes), 0.0)
    rounds = int(rng.integers(8, 24))
    return np.asarray(
        librosa.griffinlim(magnitudes, n_iter=rounds, hop_length=256, length=mono.size, random_state=0), np.float32
    )


def world_copy(mono: Mono, rng: np.random.Generator) -> Mono:
    """Return speech taken apart and put together by WORLD; for half the draws with another pitch and throat."""
    import pyworld

    signal = mono.astype(np.float64)
    f0_hz, times_s = pyworld.dio(signal, RATE_HZ)
    envelope = pyworld.cheaptrick(signal, pyworld.stonemask(signal, f0_hz, times_s, RATE_HZ), times_s, RATE_HZ)
    noisiness = pyworld.d4c(signal, f0_hz, times_s, RATE_HZ)
    if rng.random() < 0.5:
        f0_hz = f0_hz * 2.0 ** rng.uniform(-0.7, 0.7)
        bins = np.arange(envelope.shape[1]) / rng.uniform(0.85, 1.18)
        nearest = np.minimum(np.rint(bins), envelope.shape[1] - 1).astype(int)
        envelope = np.ascontiguousarray(envelope[:, nearest])
    return np.asarray(pyworld.synthesize(f0_hz, envelope, noisiness, RATE_HZ)[: mono.size], np.float32)


def converted(mono: Mono, voice: Voice) -> Mono:
    """Return speech in another voice."""
    converter = _converter()
    converter.voice = voice
    made = converter.convert_signal(np.asarray(soxr.resample(mono, RATE_HZ, SAMPLE_RATE), np.float32))
    return np.asarray(soxr.resample(made, SAMPLE_RATE, RATE_HZ), np.float32)


def shipped_voices() -> Sequence[str]:
    """Return the names of the voices that come with the program."""
    return [info.name for info in list_voices() if info.origin == "vcfx"]


def shifted(mono: Mono, rng: np.random.Generator) -> Mono:
    """Return speech two to five semitones higher or lower, by the time domain shifter of a foreign library."""
    import pedalboard

    semitones = float(rng.choice([-1.0, 1.0]) * rng.uniform(2.0, 5.0))
    return np.asarray(pedalboard.PitchShift(semitones).process(mono, RATE_HZ), np.float32)


@lru_cache(maxsize=1)
def _converter() -> VoiceConverter:
    return VoiceConverter(load_networks(device="cpu"), find_voice(shipped_voices()[0], "files"))
