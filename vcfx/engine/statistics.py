"""What the engine says of itself; read from the cells, never asked of the audio thread."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .cells import BINS_PER_OCTAVE


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Times in microseconds; each within 2.2 % (the histogram's bins)."""

    count: int
    p50_us: float
    p99_us: float
    p999_us: float
    max_us: float


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """A reading of all counters since the engine was made.

    Parameters
    ----------
    blocks, frames
        Rendered in the callback.
    late_blocks
        Callbacks that took longer than their block lasts.
    concealed_blocks, concealed_frames
        Blocks for which the worker was late, and what was made up for them.
    dropped_frames
        Input that the worker skipped since its output would have come too late.
    input_underflows ... output_overflows
        What the device driver reported.
    nonfinite_samples
        NaN or infinite samples made silent, at the input and at the output.
    nonfinite_hops
        Hops that a host node answered with NaN or infinity; they were silent.
    worker_errors
        Hops that a host node failed in; they were silent.
    drift_ppm, bridge_latency_ms, bridge_target_ms, clock_underruns, clock_overflows, clock_dropped_frames
        Of the clock bridge between two devices; None where one device has both sides.
    callback, worker
        How long blocks and hops took.
    """

    blocks: int
    frames: int
    late_blocks: int
    concealed_blocks: int
    concealed_frames: int
    dropped_frames: int
    input_underflows: int
    input_overflows: int
    output_underflows: int
    output_overflows: int
    nonfinite_samples: int
    nonfinite_hops: int
    worker_errors: int
    device_losses: int
    drift_ppm: float | None
    bridge_latency_ms: float | None
    bridge_target_ms: float | None
    clock_underruns: int | None
    clock_overflows: int | None
    clock_dropped_frames: int | None
    callback: Percentiles
    worker: Percentiles


@dataclass(frozen=True, slots=True)
class Levels:
    """Peak and RMS in dBFS, at least -120."""

    input_peak_db: float
    input_rms_db: float
    output_peak_db: float
    output_rms_db: float


def percentiles_of_histogram(histogram: npt.NDArray[np.int64], longest_ns: int) -> Percentiles:
    """Read percentiles off a logarithmic histogram of nanoseconds (upper edge of the bin)."""
    counts = histogram.copy()
    total = int(counts.sum())
    if total == 0:
        return Percentiles(0, 0.0, 0.0, 0.0, 0.0)
    cumulated = np.cumsum(counts)
    longest_us = longest_ns / 1e3

    def at(ratio: float) -> float:
        index = int(np.searchsorted(cumulated, math.ceil(ratio * total)))
        return float(min(2.0 ** ((index + 1) / BINS_PER_OCTAVE) / 1e3, longest_us))

    return Percentiles(total, at(0.5), at(0.99), at(0.999), longest_us)


def decibels(magnitude: float) -> float:
    """Return 20 log10, at least -120."""
    return max(-120.0, 20.0 * math.log10(max(magnitude, 1e-6)))
