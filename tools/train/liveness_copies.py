"""More attacks made of recordings: cheap copies by all sorts of vocoders, to learn from."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import signal
from scipy.linalg import solve_toeplitz

from vcfx_dsp.source_filter import SourceFilterSynth

from .liveness_material import RATE_HZ, Mono

Rng = np.random.Generator
Floats = npt.NDArray[np.float64]
PERIOD_MS: Final = 5
PERIOD_SAMPLES: Final = RATE_HZ * PERIOD_MS // 1000
WINDOW_SAMPLES: Final = 512
#: Of the envelopes that our own vocoder is given.
BAND_EDGES_HZ: Final = np.concatenate([np.arange(0.0, 2_000.0, 125.0), np.geomspace(2_000.0, 8_000.0, 25)])


def lpc_copy(mono: Mono, rng: Rng) -> Mono:
    """Return speech from linear prediction, driven by pulses and noise: a buzz, as of formant synthesisers.

    For some draws the pitch is a machine's: even, or in steps.
    """
    f0_hz = _f0_hz(mono)
    voiced = f0_hz > 0.0
    if voiced.any():
        steady = float(np.median(f0_hz[voiced])) * 2.0 ** rng.uniform(-0.5, 0.5)
        share = float(rng.choice([0.0, 0.0, 0.5, 1.0]))
        f0_hz = np.where(voiced, np.maximum(f0_hz, 40.0) ** (1.0 - share) * steady**share, 0.0)
    order, length = int(rng.integers(10, 21)), int(rng.integers(320, 640))
    excitation = _excitation(f0_hz, mono.size, rng, float(rng.uniform(0.0, 0.4)))
    window = np.hanning(length)
    hop, out = length // 2, np.zeros(mono.size + length)
    for start in range(0, mono.size - length, hop):
        piece = mono[start : start + length].astype(np.float64) * window
        products = np.fft.irfft(np.abs(np.fft.rfft(piece, 2 * length)) ** 2)[: order + 1]
        products[0] = products[0] * 1.0001 + 1e-9
        taps = solve_toeplitz(products[:-1], products[1:])
        gain = np.sqrt(max(products[0] - taps @ products[1:], 0.0) / length)
        driven = signal.lfilter([gain], np.concatenate([[1.0], -taps]), excitation[start : start + length])
        out[start : start + length] += driven * window
    return np.asarray(out[: mono.size], np.float32)


def stretched(mono: Mono, rng: Rng) -> Mono:
    """Return speech made slower or faster by a phase vocoder; for half the draws it is brought back afterwards."""
    import librosa

    rate = float(np.exp(rng.choice([-1.0, 1.0]) * rng.uniform(0.06, 0.3)))
    size = int(rng.choice([512, 1_024, 2_048]))
    changed = librosa.effects.time_stretch(mono, rate=rate, n_fft=size)
    if rng.random() < 0.5:
        changed = librosa.effects.time_stretch(changed, rate=1.0 / rate, n_fft=size)
    return np.asarray(changed, np.float32)


def shifted_by_vocoder(mono: Mono, rng: Rng) -> Mono:
    """Return speech moved by 1.5 to 6 semitones either way by a phase vocoder: not the shifter that is judged."""
    import librosa

    semitones = float(rng.choice([-1.0, 1.0]) * rng.uniform(1.5, 6.0))
    size = int(rng.choice([512, 1_024, 2_048]))
    moved = librosa.effects.pitch_shift(mono, sr=RATE_HZ, n_steps=semitones, n_fft=size)
    return np.asarray(moved, np.float32)


def mel_copy(mono: Mono, rng: Rng) -> Mono:
    """Return speech from 24 to 100 mel bands alone, its phases guessed in a few rounds."""
    import librosa

    hop = int(rng.choice([128, 160, 200, 256]))
    magnitudes = np.abs(librosa.stft(mono, n_fft=1_024, hop_length=hop))
    bank = librosa.filters.mel(sr=RATE_HZ, n_fft=1_024, n_mels=int(rng.integers(24, 101)))
    bands = np.log(bank @ magnitudes + 1e-6)
    if rng.random() < 0.5:  # as networks blur them
        bands = signal.lfilter([1.0, 1.0], [2.0], bands, axis=1)
    even = bank / np.maximum(bank.sum(axis=0), 1e-3)
    magnitudes = even.T @ (np.exp(bands) / np.maximum(bank.sum(axis=1), 1e-9)[:, None])
    rounds = int(rng.integers(2, 9))
    return np.asarray(
        librosa.griffinlim(magnitudes, n_iter=rounds, hop_length=hop, length=mono.size, random_state=0), np.float32
    )


def smooth_world(mono: Mono, rng: Rng) -> Mono:
    """Return speech from WORLD with few cepstral numbers, blurred over time, as statistical synthesisers give."""
    import pyworld

    sound = mono.astype(np.float64)
    f0_hz, times_s = pyworld.dio(sound, RATE_HZ)
    envelope = pyworld.cheaptrick(sound, f0_hz, times_s, RATE_HZ)
    noisiness = pyworld.d4c(sound, f0_hz, times_s, RATE_HZ)
    size = 2 * (envelope.shape[1] - 1)
    coded = pyworld.code_spectral_envelope(envelope, RATE_HZ, int(rng.integers(18, 50)))
    width = int(rng.integers(1, 9))
    coded = signal.lfilter(np.full(width, 1.0 / width), [1.0], coded, axis=0)
    envelope = pyworld.decode_spectral_envelope(np.ascontiguousarray(coded), RATE_HZ, size)
    kept = f0_hz.copy()
    voiced = kept > 0.0
    if voiced.any():
        middle = np.median(np.log(kept[voiced]))
        kept[voiced] = np.exp(middle + rng.uniform(0.5, 1.2) * (np.log(kept[voiced]) - middle) + rng.uniform(-0.3, 0.3))
    if rng.random() < 0.3:  # pulses or noise, never both
        noisiness = np.where(voiced[:, None], 1e-3, 1.0 - 1e-3) * np.ones_like(noisiness)
    return np.asarray(pyworld.synthesize(kept, envelope, noisiness, RATE_HZ)[: mono.size], np.float32)


def source_filter_copy(mono: Mono, rng: Rng) -> Mono:
    """Return speech from our own vocoder: pulses and noise through envelopes that are read off its spectrum."""
    f0_hz = _f0_hz(mono)
    centres_hz = (BAND_EDGES_HZ[:-1] + BAND_EDGES_HZ[1:]) / 2.0
    levels = _band_levels(mono, f0_hz.size)
    width = int(rng.integers(1, 6))
    levels = signal.lfilter(np.full(width, 1.0 / width), [1.0], levels, axis=0)
    split_hz, slope_hz = rng.uniform(2_000.0, 7_000.0), rng.uniform(200.0, 1_500.0)
    noisy = 1.0 / (1.0 + np.exp(-(centres_hz - split_hz) / slope_hz))
    noisy = np.where(f0_hz[:, None] > 0.0, np.clip(noisy, 1e-4, 1.0 - 1e-4), 1.0 - 1e-6)
    synth = SourceFilterSynth(RATE_HZ, PERIOD_SAMPLES, centres_hz, centres_hz)
    out = np.zeros(f0_hz.size * PERIOD_SAMPLES, np.float32)
    moved = f0_hz * 2.0 ** float(rng.choice([0.0, rng.uniform(-0.5, 0.5)]))
    parts = (levels + 0.5 * np.log(share) for share in (1.0 - noisy, noisy))
    harmonic, noise = (np.ascontiguousarray(part, np.float32) for part in parts)
    synth.render(np.where(moved > 0.0, moved, 120.0).astype(np.float32), harmonic, noise, out)
    return np.resize(out, mono.size)


def _f0_hz(mono: Mono) -> Floats:
    """Return F0 every 5 ms, 0 where there is no voice."""
    import pyworld

    found, _ = pyworld.dio(mono.astype(np.float64), RATE_HZ, frame_period=float(PERIOD_MS))
    return np.asarray(found, np.float64)


def _excitation(f0_hz: Floats, frames: int, rng: Rng, breath: float) -> Floats:
    """Return pulses where there is voice and noise where there is none, each of power 1; `breath` of noise in both."""
    each = np.repeat(f0_hz, PERIOD_SAMPLES)[:frames]
    each = np.pad(each, (0, frames - each.size))
    cycles = np.floor(np.cumsum(each) / RATE_HZ)
    pulses = np.diff(cycles, prepend=0.0) * np.sqrt(RATE_HZ / np.maximum(each, 40.0))
    noise = rng.standard_normal(frames)
    return np.asarray(np.where(each > 0.0, pulses + breath * noise, noise), np.float64)


def _band_levels(mono: Mono, frames: int) -> Floats:
    """Return the logarithm of each band's amplitude (frames, bands), every 5 ms."""
    half = WINDOW_SAMPLES // 2
    padded = np.pad(mono, (half, half + frames * PERIOD_SAMPLES))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::PERIOD_SAMPLES][:frames]
    taper = np.hanning(WINDOW_SAMPLES)
    power = np.square(np.abs(np.fft.rfft(windows * taper))) / np.sum(np.square(taper))
    edges = np.rint(BAND_EDGES_HZ * WINDOW_SAMPLES / RATE_HZ).astype(int)
    bands = np.stack([power[:, low : max(high, low + 1)].mean(axis=1) for low, high in pairwise(edges)], 1)
    return np.asarray(0.5 * np.log(np.maximum(bands, 1e-10)), np.float64)
