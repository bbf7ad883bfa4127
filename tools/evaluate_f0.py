"""Compare the streaming F0 tracker with pyworld's harvest on speech: ``python tools/evaluate_f0.py FOLDER``.

Prints, per clip and in all, for two sets of frames: every frame that harvest calls voiced (it bridges pauses and
consonants), and the clear ones (within 30 dB of the clip's loudest, D4C finds them periodic, F0 moves < 5 % a frame).
GPE: more than 20 % off where both are voiced; octave: GPE near a factor of 2 or 3; VDE: voicing decisions that differ.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyworld
import soundfile

from vcfx_dsp.f0_tracker import F0Tracker
from vcfx_dsp.resampler import resample_signal

FRAME_S = 0.005
Signal = npt.NDArray[np.float64]


def resampled(signal: Signal, rate_in_hz: int, rate_out_hz: int) -> Signal:
    """Return a mono signal at another rate, without delay."""
    return resample_signal(signal.astype(np.float32)[None], rate_in_hz, rate_out_hz)[0].astype(np.float64)


def reference(signal: Signal, sample_rate: int) -> tuple[Signal, npt.NDArray[np.bool_]]:
    """Return harvest's F0 every 5 ms (0: unvoiced) and which frames are clear."""
    low = resampled(signal, sample_rate, 16_000)
    f0, times = pyworld.harvest(low, 16_000, f0_floor=50.0, f0_ceil=620.0, frame_period=1e3 * FRAME_S)
    periodic = pyworld.d4c(low, f0, times, 16_000)[:, 2] < 0.999
    padded = np.pad(low, 200)
    level_db = np.array([20 * np.log10(padded[(s := int(t * 16_000)) : s + 400].std() + 1e-9) for t in times])
    moved = np.abs(np.diff(np.log(np.maximum(f0, 1.0)), prepend=0.0))
    steady = (moved < 0.05) & (np.roll(moved, -1) < 0.05)
    return f0, (f0 > 0) & periodic & steady & (level_db > level_db.max() - 30)


def counts(signal: Signal, sample_rate: int, lookahead_hops: int) -> tuple[npt.NDArray[np.int64], float, int]:
    """Return a row of counts for one clip, the seconds of work, and the tracker's delay in samples."""
    f0, clear = reference(signal, sample_rate)
    tracker = F0Tracker(sample_rate, lookahead_hops=lookahead_hops)
    start = time.perf_counter()
    found = tracker.track(signal).f0_hz
    seconds = time.perf_counter() - start
    ends = np.arange(1, found.size + 1) * tracker.hop_samples
    frames = np.round((ends - tracker.delay_samples) / sample_rate / FRAME_S).astype(int)
    inside = (frames >= 0) & (frames < f0.size)
    wanted, found, clear = f0[frames[inside]], found[inside], clear[frames[inside]]
    both = (wanted > 0) & (found > 0)
    factor = np.where(both, found / np.maximum(wanted, 1.0), 1.0)
    gross = np.abs(factor - 1) > 0.2
    octaves = np.abs(np.log2(factor))
    octave = gross & ((np.abs(octaves - 1) < 0.2) | (np.abs(octaves - np.log2(3)) < 0.15))
    row = [both, gross, octave, both & clear, gross & clear, octave & clear]
    row += [clear, clear & (found == 0), np.ones_like(both), (wanted > 0) & (found == 0), (wanted == 0) & (found > 0)]
    return np.array([part.sum() for part in row]), seconds, tracker.delay_samples


def line(name: str, row: npt.NDArray[np.int64]) -> str:
    """Return the percentages of one row of `counts` as a line of the table."""

    def percent(part: int, whole: int) -> float:
        return 100 * row[part] / max(row[whole], 1)

    return (
        f"{name[:32]:32} {percent(1, 0):6.2f} {percent(2, 0):6.2f}   {percent(4, 3):6.2f} {percent(5, 3):6.2f} "
        f"{percent(7, 6):6.2f}   {percent(9, 8):6.2f} {percent(10, 8):6.2f}"
    )


def main() -> int:
    """Run over a folder of sound files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lookahead-hops", type=int, default=1)
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.rglob("*") if path.suffix in {".wav", ".flac", ".ogg", ".opus"})
    if not paths:
        print(f"{arguments.folder} holds no .wav, .flac, .ogg or .opus file", file=sys.stderr)
        return 2
    F0Tracker(16_000).track(np.zeros(1_600))  # compile before the clock runs
    print(f"{'percent of frames':32} {'all':>6} {'':6}   {'clear':>6} {'':6} {'':6}   {'voicing':>7}")
    print(f"{'':32} {'GPE':>6} {'octave':>6}   {'GPE':>6} {'octave':>6} {'missed':>6}   {'missed':>6} {'false':>6}")
    total, busy, length, delay_ms = np.zeros(11, np.int64), 0.0, 0.0, 0.0
    for path in paths:
        signal, sample_rate = soundfile.read(path, always_2d=True)
        row, seconds, delay = counts(np.ascontiguousarray(signal.mean(axis=1)), sample_rate, arguments.lookahead_hops)
        print(line(path.stem, row))
        total, busy, length = total + row, busy + seconds, length + signal.shape[0] / sample_rate
        delay_ms = 1e3 * delay / sample_rate
    print(line(f"all {len(paths)} clips, {length:.0f} s", total))
    print(f"delay {delay_ms:.1f} ms, {100 * busy / length:.2f} % of one core")
    return 0


if __name__ == "__main__":
    sys.exit(main())
