"""A voice from its parts: harmonics and noise, each through a minimum-phase filter that fades to the next one.

The filters come from log amplitudes by folding the real cepstrum (A. V. Oppenheim, R. W. Schafer, "Discrete-Time
Signal Processing", chapter on cepstrum analysis); the harmonics are the closed form of a sum of cosines.
"""

from __future__ import annotations

import math
from typing import Any

from .exponential import quick_exp
from .fft import irfft, rfft
from .gaussian import gaussian_sample
from .kernel import compiled
from .sine import quick_sin_cos

LOWEST_F0_HZ, HIGHEST_F0_HZ = 20.0, 2_000.0
LOWEST_LOG, HIGHEST_LOG = -20.0, 8.0
#: Harmonics reach up to this share of half the sample rate.
HARMONIC_REACH = 0.98
#: Where the closed form is 0 / 0; up to here the sum of K cosines differs from K by less than K^3 * 1e-18.
_PHASE_OF_PEAK = 1e-9

#: ``counters``: whether a sub-frame has been rendered, and how many noise samples.
IS_STARTED, NOISE_INDEX, COUNTERS = range(3)
#: ``memory``: phase of the fundamental in radians, -pi to pi; the last f0. Then four spectra and the tail.
PHASE, F0, SPECTRA = range(3)


def memory_size(n_fft: int) -> int:
    """Return the floats of memory: phase, f0, the last filters' real and imaginary parts, the tail."""
    return SPECTRA + 4 * (n_fft // 2 + 1) + n_fft


def scratch_size(n_fft: int, subframe_samples: int) -> int:
    """Return the floats of working space: 8 halves of spectra, the padded signal, and four rows of a sub-frame."""
    return 8 * (n_fft // 2 + 1) + n_fft + 4 * subframe_samples


@compiled
def _clamped(value: float, low: float, high: float) -> float:
    """Return what lies within the limits; not-a-number counts as the lower one."""
    return min(value, high) if value > low else low


@compiled
def minimum_phase(bands: Any, left: Any, weight: Any, real: Any, imaginary: Any, cepstrum: Any, table: Any) -> None:
    """Compute the spectrum of the minimum-phase filter whose log amplitude is interpolated between bands.

    Parameters
    ----------
    bands
        Natural logarithms of amplitude gains, held within `LOWEST_LOG` and `HIGHEST_LOG`.
    left, weight
        For each bin of the spectrum the band below and the share of the one above it.
    real, imaginary
        Receive n/2 + 1 values each.
    cepstrum
        n values of working space.
    table
        ``fft_table(n)``.
    """
    bins = real.size
    for k in range(bins):
        below = _clamped(bands[left[k]], LOWEST_LOG, HIGHEST_LOG)
        above = _clamped(bands[left[k] + 1], LOWEST_LOG, HIGHEST_LOG)
        real[k] = below + weight[k] * (above - below)
        imaginary[k] = 0.0
    irfft(real, imaginary, cepstrum, table)
    for quefrency in range(1, bins - 1):
        cepstrum[quefrency] *= 2.0
    for quefrency in range(bins, cepstrum.size):
        cepstrum[quefrency] = 0.0
    rfft(cepstrum, real, imaginary, table)
    for k in range(bins):
        amplitude = quick_exp(real[k])
        sine, cosine = quick_sin_cos(imaginary[k])
        real[k], imaginary[k] = amplitude * cosine, amplitude * sine


@compiled
def _advance_phase(memory: Any, f0_hz: float, sample_rate: float, phases: Any, counts: Any) -> None:
    """Fill in each sample's phase and number of harmonics while the fundamental glides to `f0_hz`."""
    size = phases.size
    phase, start_hz = memory[PHASE], memory[F0]
    for index in range(size):
        now_hz = start_hz + (f0_hz - start_hz) * ((index + 1) / size)
        phase += 2.0 * math.pi * now_hz / sample_rate
        if phase >= math.pi:
            phase -= 2.0 * math.pi
        phases[index] = phase
        counts[index] = math.floor(0.5 * sample_rate * HARMONIC_REACH / now_hz)
    memory[PHASE], memory[F0] = phase, f0_hz


@compiled
def _harmonics(phases: Any, counts: Any, out: Any) -> None:
    """Sum ``sqrt(2 / K) cos(k phase)`` over k from 1 to K: power 1 at any pitch."""
    for index in range(out.size):
        count, phase = counts[index], phases[index]
        upper, _ = quick_sin_cos((count + 0.5) * phase)
        lower, _ = quick_sin_cos(0.5 * phase)
        is_peak = abs(phase) < _PHASE_OF_PEAK
        total = count if is_peak else upper / (2.0 * (1.0 if is_peak else lower)) - 0.5
        out[index] = math.sqrt(2.0 / count) * total


@compiled
def _add_faded(
    excitation: Any, is_rising: bool, filter_real: Any, filter_imaginary: Any, sums: Any, spare: Any, table: Any
) -> None:
    """Fade the excitation in or out, filter it, and add its spectrum to that of the output."""
    bins, size = filter_real.size, excitation.size
    real, imaginary, padded = spare[:bins], spare[bins : 2 * bins], spare[2 * bins :]
    for index in range(size):
        rise = (index + 1) / size
        padded[index] = excitation[index] * (rise if is_rising else 1.0 - rise)
    for index in range(size, padded.size):
        padded[index] = 0.0
    rfft(padded, real, imaginary, table)
    sum_real, sum_imaginary = sums[:bins], sums[bins : 2 * bins]
    for k in range(bins):
        sum_real[k] += real[k] * filter_real[k] - imaginary[k] * filter_imaginary[k]
        sum_imaginary[k] += real[k] * filter_imaginary[k] + imaginary[k] * filter_real[k]


@compiled
def _crossfade_filters(excitation: Any, old: Any, new: Any, sums: Any, spare: Any, table: Any) -> None:
    bins = new.size // 2
    _add_faded(excitation, False, old[:bins], old[bins:], sums, spare, table)
    _add_faded(excitation, True, new[:bins], new[bins:], sums, spare, table)


@compiled
def _excite(counters: Any, memory: Any, f0_hz: float, sample_rate: float, excitations: Any) -> None:
    """Write the harmonics, then the noise; the second half of the array is working space."""
    size = excitations.size // 4
    harmonic, noise = excitations[:size], excitations[size : 2 * size]
    phases, counts = excitations[2 * size : 3 * size], excitations[3 * size :]
    _advance_phase(memory, f0_hz, sample_rate, phases, counts)
    _harmonics(phases, counts, harmonic)
    for index in range(size):
        noise[index] = gaussian_sample(counters[NOISE_INDEX] + index)
    counters[NOISE_INDEX] += size


@compiled
def _overlap_add(sums: Any, filtered: Any, tail: Any, out: Any, table: Any) -> None:
    bins, size = sums.size // 2, out.size
    irfft(sums[:bins], sums[bins:], filtered, table)
    for index in range(size):
        out[index] = tail[index] + filtered[index]
    for index in range(tail.size - size):
        tail[index] = tail[index + size] + filtered[index + size]
    for index in range(tail.size - size, tail.size):
        tail[index] = 0.0


@compiled
def render_subframe(
    counters: Any,
    memory: Any,
    scratch: Any,
    table: Any,
    f0_hz: float,
    harmonic_log: Any,
    noise_log: Any,
    lefts: Any,
    weights: Any,
    sample_rate: float,
    out: Any,
) -> None:
    """Render one sub-frame of ``out.size`` samples from what holds at its end.

    Parameters
    ----------
    counters, memory, scratch
        `COUNTERS`, `memory_size` and `scratch_size` values; zeros at the start.
    table
        ``fft_table(n_fft)``.
    f0_hz, harmonic_log, noise_log
        Fundamental frequency and the two envelopes in bands; held within their limits.
    lefts, weights
        (2, bins): each bin's place between the bands of the harmonics, then of the noise.
    sample_rate
        Hz.
    out
        Receives the samples.
    """
    bins = lefts.shape[1]
    old = memory[SPECTRA : SPECTRA + 4 * bins]
    new, sums = scratch[: 4 * bins], scratch[4 * bins : 6 * bins]
    spare = scratch[6 * bins : 8 * bins + 2 * (bins - 1)]
    excitations = scratch[scratch.size - 4 * out.size :]
    padded = spare[2 * bins :]
    minimum_phase(harmonic_log, lefts[0], weights[0], new[:bins], new[bins : 2 * bins], padded, table)
    minimum_phase(noise_log, lefts[1], weights[1], new[2 * bins : 3 * bins], new[3 * bins :], padded, table)
    f0_hz = _clamped(f0_hz, LOWEST_F0_HZ, HIGHEST_F0_HZ)
    if counters[IS_STARTED] == 0:
        counters[IS_STARTED], memory[F0] = 1, f0_hz
        for index in range(new.size):
            old[index] = new[index]
    _excite(counters, memory, f0_hz, sample_rate, excitations)
    for index in range(sums.size):
        sums[index] = 0.0
    harmonic, noise = excitations[: out.size], excitations[out.size : 2 * out.size]
    _crossfade_filters(harmonic, old[: 2 * bins], new[: 2 * bins], sums, spare, table)
    _crossfade_filters(noise, old[2 * bins :], new[2 * bins :], sums, spare, table)
    _overlap_add(sums, padded, memory[SPECTRA + 4 * bins :], out, table)
    for index in range(new.size):
        old[index] = new[index]
