from __future__ import annotations

import numpy as np
import pytest

from vcfx.engine.probe import BURSTS, burst_starts, find_round_trip, test_signal
from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.registry import create

RATE_HZ = 48_000
test_signal.__test__ = False  # type: ignore[attr-defined]  # its name, not its nature


def heard(delay_samples: int, noise: float = 0.0, gain: float = 0.1) -> np.ndarray:
    signal = test_signal(RATE_HZ)
    later = np.concatenate([np.zeros(delay_samples, np.float32), signal])[: len(signal)]
    return (gain * later + noise * np.random.default_rng(4).standard_normal(len(signal))).astype(np.float32)


@pytest.mark.parametrize("delay_samples", [0, 1, 257, 4_801, 24_000])
def test_a_delay_is_found_to_the_sample(delay_samples: int) -> None:
    found = find_round_trip(heard(delay_samples, noise=0.002), RATE_HZ)
    assert found.method == "waveform"
    assert len(found.delays_ms) == BURSTS
    assert found.latency_ms == pytest.approx(1e3 * delay_samples / RATE_HZ, abs=0.01)


@pytest.mark.parametrize("semitones", [-5.0, 7.0])
def test_a_shifted_voice_is_found_by_its_rhythm(semitones: float) -> None:
    node = create("pitch", shift_semitones=semitones, formant_semitones=2.0)
    node.prepare(ProcessSpec(RATE_HZ, 480, 1))
    source = heard(480, gain=1.0)
    out = np.zeros_like(source)
    for start in range(0, len(source) - 480, 480):
        block, result = source[None, start : start + 480].copy(), np.empty((1, 480), np.float32)
        node.process(block, result)
        out[start : start + 480] = result[0]
    found = find_round_trip(out, RATE_HZ)
    assert found.latency_ms == pytest.approx(10.0 + 1e3 * node.latency_samples / RATE_HZ, abs=1.5)


def test_noise_alone_is_no_round_trip() -> None:
    found = find_round_trip(heard(0, noise=0.1, gain=0.0), RATE_HZ)
    assert found.latency_ms is None
    assert found.floor_db > -20


def test_bursts_are_irregularly_spaced_and_do_not_overlap() -> None:
    gaps = np.diff(burst_starts(RATE_HZ)) / RATE_HZ
    assert (gaps > 0.8).all()
    assert len(set(np.round(gaps, 4))) == len(gaps)
