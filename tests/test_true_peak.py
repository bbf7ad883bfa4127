from __future__ import annotations

import numpy as np
import pytest

from vcfx_dsp.core.true_peak import (
    ROW_FRAMES,
    TAPS,
    TAPS_PER_SIDE,
    TRACKER_SIZE,
    interpolator_taps,
    largest_rise,
    raise_to_peaks,
)
from vcfx_dsp.node import Block


def peaks(signal: Block) -> list[float]:
    """Peaks around every sample that has a whole window."""
    memory = np.zeros(TRACKER_SIZE + ROW_FRAMES)
    found: list[float] = []
    for start in range(0, signal.size - TAPS, ROW_FRAMES):
        memory[TRACKER_SIZE:] = 0.0
        frames = min(ROW_FRAMES, signal.size - TAPS - start)
        raise_to_peaks(signal, start, frames, memory, 0, TRACKER_SIZE)
        found += memory[TRACKER_SIZE : TRACKER_SIZE + frames].tolist()
    return found


def response_error(up_to: float) -> float:
    """Largest distance of the interpolator's three phases from an exact fractional shift, over frequency."""
    cycles = np.linspace(0, up_to, 500)[:, None]
    places = np.arange(TAPS) - TAPS_PER_SIDE + 1
    shifts = np.arange(1, 4) / 4
    measured = np.exp(2j * np.pi * cycles * places) @ interpolator_taps().T
    return float(np.abs(measured - np.exp(2j * np.pi * cycles * shifts)).max())


def test_interpolator_is_as_exact_as_stated() -> None:
    assert 20 * np.log10(1 + response_error(0.42)) < 0.1
    assert 20 * np.log10(1 + response_error(0.45)) < 0.15


@pytest.mark.parametrize("cycles_per_sample", [0.01, 0.1, 0.25, 0.37, 0.42])
def test_sine_is_read_within_a_sixth_of_a_decibel(cycles_per_sample: float) -> None:
    for phase in np.linspace(0, np.pi, 7):
        sine = np.sin(2 * np.pi * cycles_per_sample * np.arange(400) + phase).astype(np.float32)
        assert 20 * np.log10(max(peaks(sine)[3:])) == pytest.approx(0.0, abs=0.16)


def test_nothing_rises_above_the_bound(rng: np.random.Generator) -> None:
    worst = [np.sign(row[::-1]) for row in interpolator_taps()]
    signal = np.concatenate([*worst, np.sign(rng.standard_normal(2_000))]).astype(np.float32)
    assert max(peaks(signal)) <= largest_rise()
