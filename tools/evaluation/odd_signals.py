"""Inputs that are not clean read speech, made from clean speech or from noise."""

from __future__ import annotations

from typing import Final

import numpy as np

from .melody import HIGHEST_HZ, LOWEST_HZ, Track
from .packages import package
from .sound import Audio, Sound, active_level_db

RATE_HZ: Final = 24_000
NOISE_SEED: Final = 3
SNR_DB: Final = 10.0
#: Active frames of read speech this loud lose their peaks at full scale.
OVERDRIVEN_LEVEL_DB: Final = -3.0
#: Deviations from the median pitch grow by this factor, then move in semitones.
MELODY_STRETCH: Final = 2.0
VIBRATO_HZ: Final = 5.5
VIBRATO_SEMITONES: Final = 0.5
LAUGH_BURSTS: Final = 12
LAUGHS_PER_S: Final = 5.0


def whispered(speech: Sound) -> Sound:
    """Return speech with every period taken out: WORLD's envelope, excited by noise alone."""
    audio, f0, envelope, _ = _world(speech)
    silent = np.zeros_like(f0)
    out = package("pyworld").synthesize(silent, envelope, np.ones_like(envelope), RATE_HZ)
    return _like(out[: audio.size], speech)


def sung(speech: Sound) -> Sound:
    """Return speech whose melody is stretched twofold and set to semitones with vibrato."""
    audio, f0, envelope, noise = _world(speech)
    voiced = f0 > 0
    median_hz = float(np.median(f0[voiced]))
    semitones = np.zeros_like(f0)
    semitones[voiced] = np.round(12 * MELODY_STRETCH * np.log2(f0[voiced] / median_hz))
    times_s = 0.005 * np.arange(f0.size)
    semitones += VIBRATO_SEMITONES * np.sin(2 * np.pi * VIBRATO_HZ * times_s)
    melody = np.where(voiced, np.clip(median_hz * 2 ** (semitones / 12), LOWEST_HZ, HIGHEST_HZ), 0.0)
    out = package("pyworld").synthesize(melody, envelope, noise, RATE_HZ)
    return _like(out[: audio.size], speech)


def clipped(speech: Sound) -> Sound:
    """Return speech turned up to `OVERDRIVEN_LEVEL_DB` and cut off at full scale."""
    gain_db = OVERDRIVEN_LEVEL_DB - active_level_db(speech)
    return Sound(np.clip(speech.audio * 10 ** (gain_db / 20), -1.0, 1.0).astype(np.float32), speech.sample_rate)


def noisy(speech: Sound, noise: Sound) -> Sound:
    """Return speech with noise `SNR_DB` below it, active level against active level."""
    background = np.resize(noise.at(speech.sample_rate).audio, speech.audio.size)
    gain_db = active_level_db(speech) - active_level_db(noise) - SNR_DB
    return Sound((speech.audio + background * 10 ** (gain_db / 20)).astype(np.float32), speech.sample_rate)


def laughter() -> Sound:
    """Return a laugh's rhythm: short bursts of noise through a vowel's resonances, dying away."""
    hiss = _through_resonances(_white(3.0), (750.0, 1_250.0, 2_600.0))
    envelope = np.zeros(hiss.size)
    size = round(0.09 * RATE_HZ)
    for burst in range(LAUGH_BURSTS):
        start = round((0.2 + burst / LAUGHS_PER_S) * RATE_HZ)
        envelope[start : start + size] = np.hanning(size) * 0.9**burst
    return _at_level(hiss * envelope, -26.0)


def breath() -> Sound:
    """Return two slow breaths of noise."""
    hiss = _through_resonances(_white(3.0), (1_000.0, 2_200.0, 4_500.0))
    swell = np.sin(np.pi * np.arange(hiss.size) / RATE_HZ / 1.5) ** 2
    return _at_level(hiss * swell, -38.0)


def silence() -> Sound:
    """Return three seconds of zeros."""
    return Sound(np.zeros(3 * RATE_HZ, np.float32), RATE_HZ)


def hiss() -> Sound:
    """Return three seconds of a quiet microphone's white noise at -70 dB."""
    return _at_level(_white(3.0), -70.0)


def _world(speech: Sound) -> tuple[Track, Track, Track, Track]:
    world = package("pyworld")
    audio = speech.at(RATE_HZ).audio.astype(np.float64)
    f0, times = world.harvest(audio, RATE_HZ, LOWEST_HZ, HIGHEST_HZ)
    return audio, f0, world.cheaptrick(audio, f0, times, RATE_HZ), world.d4c(audio, f0, times, RATE_HZ)


def _white(seconds: float) -> Audio:
    white: Audio = np.random.default_rng(NOISE_SEED).standard_normal(round(seconds * RATE_HZ)).astype(np.float32)
    return white


def _through_resonances(signal: Audio, centres_hz: tuple[float, ...]) -> Audio:
    """Sum of band-passes a fifth of their centre wide."""
    scipy_signal = package("scipy.signal")
    parts = [scipy_signal.lfilter(*scipy_signal.iirpeak(centre, 5.0, fs=RATE_HZ), signal) for centre in centres_hz]
    return np.asarray(sum(parts), np.float32)


def _like(audio: Track, speech: Sound) -> Sound:
    return _at_level(audio, active_level_db(speech))


def _at_level(audio: Audio | Track, level_db: float) -> Sound:
    sound = Sound(np.asarray(audio, np.float32), RATE_HZ)
    gain = 10 ** ((level_db - active_level_db(sound)) / 20)
    return Sound((sound.audio * gain).astype(np.float32), RATE_HZ)
