"""Measure the pitch node on speech: ``python tools/evaluate_pitch.py FOLDER [--semitones -5 5]``.

For every clip and shift: the F0 of the output against the shifted F0 of the input (harvest, where D4C finds the voice
periodic), the resonances' median movement by linear prediction, the level, and how alike neighbouring periods are in
three bands, which falls when grains do not meet in phase. The same for Rubber Band (through pedalboard; it moves the
formants too) and for WORLD resynthesis, which is given harvest's own F0 and so marks the floor of the F0 figures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pedalboard
import pyworld
import scipy.linalg
import scipy.signal
import soundfile
from evaluate_f0 import resampled

from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.nodes.pitch import Pitch

Signal = npt.NDArray[np.float64]
RATE_HZ = 48_000
ANALYSIS_HZ = 24_000
FRAME_S = 0.005
BANDS_HZ = ((60, 1_000), (1_000, 2_500), (2_500, 5_000))


def through_node(signal: Signal, semitones: float) -> Signal:
    """Shift with the node, latency taken off."""
    node = Pitch(shift_semitones=semitones)
    node.prepare(ProcessSpec(RATE_HZ, 480, 1))
    padded = np.pad(signal, (0, node.latency_samples + 480)).astype(np.float32)[None]
    out = np.empty_like(padded)
    for start in range(0, padded.shape[1], 480):
        block = np.ascontiguousarray(padded[:, start : start + 480])
        result = np.empty_like(block)
        node.process(block, result)
        out[:, start : start + 480] = result
    return out[0, node.latency_samples :][: signal.size].astype(np.float64)


def through_rubber_band(signal: Signal, semitones: float) -> Signal:
    """Shift with Rubber Band, offline."""
    shifted = pedalboard.PitchShift(semitones)(signal.astype(np.float32)[None], RATE_HZ)
    return np.asarray(shifted[0], np.float64)


def through_world(signal: Signal, semitones: float) -> Signal:
    """Take apart and put together with WORLD."""
    low = resampled(signal, RATE_HZ, ANALYSIS_HZ)
    f0, times = pyworld.harvest(low, ANALYSIS_HZ)
    envelope, noise = pyworld.cheaptrick(low, f0, times, ANALYSIS_HZ), pyworld.d4c(low, f0, times, ANALYSIS_HZ)
    out = pyworld.synthesize(f0 * 2 ** (semitones / 12), envelope, noise, ANALYSIS_HZ)
    return resampled(out, ANALYSIS_HZ, RATE_HZ)


SYSTEMS = {"vcfx": through_node, "Rubber Band": through_rubber_band, "WORLD": through_world}


def voiced_f0(signal: Signal) -> Signal:
    """Return harvest's F0 every 5 ms where D4C finds the voice periodic, else 0."""
    low = resampled(signal, RATE_HZ, 16_000)
    f0, times = pyworld.harvest(low, 16_000, f0_floor=45.0, f0_ceil=1_000.0, frame_period=1e3 * FRAME_S)
    return np.where(pyworld.d4c(low, f0, times, 16_000)[:, 2] < 0.999, f0, 0.0)


def likeness(signal: Signal, f0: Signal) -> Signal:
    """Return the mean correlation of windows one period apart, per band, over every fourth voiced frame."""
    low = resampled(signal, RATE_HZ, ANALYSIS_HZ)
    means = []
    for band in BANDS_HZ:
        filtered = scipy.signal.sosfiltfilt(scipy.signal.butter(4, band, "band", fs=ANALYSIS_HZ, output="sos"), low)
        found = [_best_match(filtered, place * FRAME_S, f0[place]) for place in range(0, f0.size, 4) if f0[place] > 0]
        means.append(np.nanmean(found))
    return np.array(means)


def _best_match(signal: Signal, time_s: float, f0_hz: float) -> float:
    period = ANALYSIS_HZ / f0_hz
    window, middle = int(max(1.5 * period, 0.008 * ANALYSIS_HZ)), int(time_s * ANALYSIS_HZ)
    best = np.nan
    for lag in range(int(0.96 * period), int(1.04 * period) + 2):
        start = middle - (window + lag) // 2
        if start < 0 or start + window + lag > signal.size:
            continue
        one, other = signal[start : start + window], signal[start + lag : start + lag + window]
        best = np.fmax(best, one @ other / np.sqrt((one @ one) * (other @ other) + 1e-16))
    return float(best)


def resonances(signal: Signal, f0: Signal) -> Iterator[Signal]:
    """Yield the first three resonances of each voiced frame, by linear prediction of order 12 at 10 kHz."""
    low = scipy.signal.lfilter([1.0, -0.95], [1.0], resampled(signal, RATE_HZ, 10_000))
    for place in range(0, f0.size, 4):
        start = int(place * FRAME_S * 10_000) - 250
        if f0[place] <= 0 or start < 0 or start + 500 > low.size:
            continue
        frame = low[start : start + 500] * np.hamming(500)
        correlation = np.correlate(frame, frame, "full")[499:512]
        correlation[0] = correlation[0] * 1.0001 + 1e-12
        poles = np.roots(np.concatenate([[1.0], -scipy.linalg.solve_toeplitz(correlation[:-1], correlation[1:])]))
        poles = poles[poles.imag > 0]
        centres, widths = np.angle(poles) * 10_000 / (2 * np.pi), -np.log(np.abs(poles)) * 10_000 / np.pi
        chosen = np.sort(centres[(widths < 500) & (centres > 200)])
        if chosen.size >= 3:
            yield chosen[:3]


def figures(signal: Signal, out: Signal, f0: Signal, semitones: float) -> Signal:
    """Return one row: cents, gross errors, level, resonances, likeness."""
    after = voiced_f0(out)[: f0.size]
    both = (f0[: after.size] > 0) & (after > 0)
    cents = 1_200 * np.log2(after[both] / f0[: after.size][both]) - 100 * semitones
    before_hz, after_hz = (np.median(list(resonances(part, f0)), axis=0) for part in (signal, out))
    moved = 100 * (after_hz / before_hz - 1)
    level_db = 20 * np.log10(out.std() / signal.std())
    alike = likeness(out, f0 * 2 ** (semitones / 12))
    gross = 100 * np.mean(np.abs(cents) > 100)
    return np.array([np.median(cents), np.median(np.abs(cents)), gross, level_db, *moved, *alike])


def main() -> int:
    """Run over a folder of sound files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--semitones", type=float, nargs="+", default=[-5.0, 5.0])
    parser.add_argument("--every", type=int, default=1, help="take every n-th clip")
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.rglob("*") if path.suffix in {".wav", ".flac", ".ogg", ".opus"})
    if not paths:
        print(f"{arguments.folder} holds no .wav, .flac, .ogg or .opus file", file=sys.stderr)
        return 2
    rows: dict[tuple[float, str], list[Signal]] = {}
    alike = []
    for path in paths[:: arguments.every]:
        sound, sample_rate = soundfile.read(path, always_2d=True)
        signal = np.asarray(resampled(sound.mean(axis=1), sample_rate, RATE_HZ), np.float64)
        f0 = voiced_f0(signal)
        alike.append(likeness(signal, f0))
        for semitones in arguments.semitones:
            for name, system in SYSTEMS.items():
                rows.setdefault((semitones, name), []).append(figures(signal, system(signal, semitones), f0, semitones))
    print(f"{len(alike)} clips; likeness of neighbouring periods in the input: {np.round(np.mean(alike, axis=0), 3)}")
    print("shift  system        median  |median| >100 cents   level   F1 %   F2 %   F3 %   likeness per band")
    for (semitones, name), found in rows.items():
        mean = np.mean(found, axis=0)
        print(
            f"{semitones:+5.1f}  {name:12} {mean[0]:7.1f} {mean[1]:9.1f} {mean[2]:9.1f} % {mean[3]:6.2f} dB "
            f"{mean[4]:6.1f} {mean[5]:6.1f} {mean[6]:6.1f}   {mean[7]:.3f} {mean[8]:.3f} {mean[9]:.3f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
