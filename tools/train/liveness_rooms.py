"""Rooms and loudspeakers, simulated in two unrelated ways: one to learn from, the other to be judged on."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import signal

from .liveness_material import RATE_HZ, Mono

SOUND_M_S: Final = 343.0


def noise_room(rng: np.random.Generator) -> Mono:
    """Return an impulse response: direct sound, a few reflections, a tail of dying noise."""
    decay_s = rng.uniform(0.12, 0.6)
    time_s = np.arange(int(decay_s * RATE_HZ)) / RATE_HZ
    tail = rng.standard_normal(time_s.size) * np.exp(-6.9 * time_s / decay_s)
    tail[: int(0.003 * RATE_HZ)] = 0.0
    for _ in range(int(rng.integers(3, 12))):
        tail[int(rng.uniform(0.001, 0.03) * RATE_HZ)] += rng.choice([-1.0, 1.0]) * rng.uniform(0.5, 4.0)
    tail = signal.lfilter([1.0], [1.0, -rng.uniform(0.0, 0.6)], tail)
    direct_db = rng.uniform(6.0, 24.0)  # above all reflections together
    response = tail * 10.0 ** (-direct_db / 20.0) / np.sqrt(np.sum(np.square(tail)))
    response[0] = 1.0
    return response.astype(np.float32)


def box_room(rng: np.random.Generator, order: int = 5) -> Mono:
    """Return the impulse response of a box by mirrored sources (Allen and Berkley 1979), to the nearest sample."""
    size_m = rng.uniform([2.5, 2.0, 2.2], [7.0, 6.0, 3.2])
    ear = rng.uniform(0.3 * size_m, 0.7 * size_m)
    mouth = np.clip(ear + rng.normal(size=3) * rng.uniform(0.1, 0.6), 0.2, size_m - 0.2)
    reflected = rng.uniform(0.5, 0.85)
    steps = np.arange(-order, order + 1)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    mirrored = np.where(grid % 2 == 0, grid * size_m + mouth, (grid + 1) * size_m - mouth)
    distance_m = np.linalg.norm(mirrored - ear, axis=1)
    heights = reflected ** np.abs(grid).sum(axis=1) / np.maximum(distance_m, 0.05)
    nearest = distance_m.min()
    at = np.rint((distance_m - nearest) / SOUND_M_S * RATE_HZ).astype(int)
    response = np.zeros(int(0.4 * RATE_HZ))
    near = at < response.size
    np.add.at(response, at[near], heights[near])
    return (response / response[0]).astype(np.float32)


def in_room(mono: Mono, response: Mono) -> Mono:
    """Return a sound as it is heard in a room, as long as it was."""
    return np.asarray(signal.fftconvolve(mono, response)[: mono.size], np.float32)


def small_loudspeaker(mono: Mono, rng: np.random.Generator) -> Mono:
    """Return what a small driver makes of a signal.

    It cuts the bass, its stroke bends (terms of second and third order, growing with the bass), its cabinet rings at
    a few frequencies, its amplifier saturates.
    """
    lowest_hz = rng.uniform(80.0, 400.0)
    bass = signal.sosfilt(signal.butter(2, 350.0, fs=RATE_HZ, output="sos"), mono)
    driven = _unit_peak(mono) * rng.uniform(0.5, 1.5)
    stroke = _unit_peak(bass.astype(np.float32))
    bent = driven * (1.0 + rng.uniform(0.0, 0.25) * stroke)
    bent = bent + rng.uniform(-0.12, 0.12) * driven**2 + rng.uniform(-0.15, 0.05) * driven**3
    drive = rng.uniform(0.5, 2.0)
    sound = np.tanh(drive * bent) / drive
    sound = signal.sosfilt(signal.butter(int(rng.integers(2, 5)), lowest_hz, "high", fs=RATE_HZ, output="sos"), sound)
    for _ in range(int(rng.integers(1, 5))):
        top, bottom = signal.iirpeak(
            np.exp(rng.uniform(np.log(200.0), np.log(6_000.0))), rng.uniform(1.0, 8.0), RATE_HZ
        )
        sound = sound + rng.uniform(-0.5, 1.5) * signal.lfilter(top, bottom, sound)
    return sound.astype(np.float32)


def other_loudspeaker(mono: Mono, rng: np.random.Generator) -> Mono:
    """Return a signal through parallel branches of powers, each with a filter of its own (Hammerstein), then clipped.

    Before it an automatic gain evens the level out, as telephones and conference speakers do.
    """
    power = signal.lfilter([0.002], [1.0, -0.998], np.square(mono)) + 1e-6
    even = _unit_peak((mono / np.sqrt(power) ** rng.uniform(0.3, 0.7)).astype(np.float32))
    sound = np.zeros(mono.size)
    for order, most in ((1, 1.0), (2, 0.15), (3, 0.15), (5, 0.1)):
        taps = rng.standard_normal(24) * np.exp(-np.arange(24) / 5.0)
        taps[0] += 3.0
        sound += most * rng.uniform(0.3, 1.0) * signal.lfilter(taps / 3.0, [1.0], even**order)
    limit = rng.uniform(0.4, 1.0) * np.abs(sound).max()
    low_hz, high_hz = rng.uniform(150.0, 500.0), rng.uniform(5_500.0, 7_800.0)
    band = signal.butter(3, [low_hz, high_hz], "band", fs=RATE_HZ, output="sos")
    return np.asarray(signal.sosfilt(band, np.clip(sound, -limit, limit)), np.float32)


def _unit_peak(mono: npt.NDArray[np.float32]) -> Mono:
    return mono / max(float(np.abs(mono).max()), 1e-6)
