from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.drive import drive
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.drive import Drive

RATE_HZ = 48_000


def driven(signal: Block, **parameters: object) -> Block:
    node = Drive(**parameters)
    node.prepare(ProcessSpec(RATE_HZ, max(signal.shape[1], 1), signal.shape[0]))
    out = np.full_like(signal, np.nan)
    node.process(signal, out)
    return out


def sine(frequency_hz: float, amplitude: float = 1.0, frames: int = RATE_HZ + 1_000) -> Block:
    return (amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(frames) / RATE_HZ)).astype(np.float32)[None]


@given(drive_db=st.floats(0.0, 48.0), cutoff_hz=st.floats(500.0, 20_000.0))
def test_it_equals_the_reference(drive_db: float, cutoff_hz: float) -> None:
    signal = np.random.default_rng(6).uniform(-1, 1, (1, 3_000)).astype(np.float32)
    expected = drive(signal[0].astype(np.float64), drive_db, cutoff_hz, RATE_HZ)
    out = driven(signal, drive_db=drive_db, cutoff_hz=cutoff_hz)
    np.testing.assert_allclose(out[0], expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("drive_db", [0.0, 12.0, 30.0])
def test_slow_signals_follow_the_curve_and_full_scale_stays(drive_db: float) -> None:
    slow = sine(20.0)
    gain = 10 ** (drive_db / 20)
    expected = slow * np.sqrt(1 + gain**2) / np.sqrt(1 + (gain * slow) ** 2)
    out = driven(slow, drive_db=drive_db, cutoff_hz=20_000.0)
    np.testing.assert_allclose(out[:, 1_023:], expected[:, 1_000:-23], rtol=0, atol=0.02)
    assert np.abs(out[0, 1_000:]).max() == pytest.approx(1.0, abs=0.005)


def aliases_db(out: npt.NDArray[np.float32], frequency_hz: int, limit_hz: int) -> float:
    """The strongest line that is no harmonic, from 20 Hz to the limit, against the fundamental."""
    spectrum = np.abs(np.fft.rfft(out[1_000:] * np.blackman(RATE_HZ)))  # bins of 1 Hz
    wanted = spectrum[frequency_hz]
    for harmonic in range(frequency_hz, RATE_HZ // 2, frequency_hz):
        spectrum[harmonic - 5 : harmonic + 6] = 0.0
    return float(20 * np.log10(spectrum[20:limit_hz].max() / wanted))


@pytest.mark.parametrize(
    ("frequency_hz", "drive_db", "limit_db"),
    [(997, 12.0, -125.0), (997, 24.0, -105.0), (2_999, 12.0, -110.0), (2_999, 24.0, -78.0), (4_999, 24.0, -68.0)],
)
def test_aliases_below_16_khz_are_low(frequency_hz: int, drive_db: float, limit_db: float) -> None:
    out = driven(sine(frequency_hz), drive_db=drive_db, cutoff_hz=20_000.0)
    assert aliases_db(out[0], frequency_hz, 16_000) < limit_db


def test_small_signals_keep_their_spectrum_up_to_15_khz() -> None:
    impulse = np.zeros((1, 4_096), np.float32)
    impulse[0, 0] = 1e-3
    out = driven(impulse, drive_db=0.0, cutoff_hz=20_000.0)[0]
    pole = np.exp(-2 * np.pi * 20_000 / RATE_HZ)
    frequencies_hz = np.fft.rfftfreq(4_096, 1 / RATE_HZ)
    lowpass = (1 - pole) / np.abs(1 - pole * np.exp(-2j * np.pi * frequencies_hz / RATE_HZ))
    level_db = 20 * np.log10(np.abs(np.fft.rfft(out)) / (1e-3 * np.sqrt(2) * lowpass))
    assert np.abs(level_db[frequencies_hz < 15_000]).max() < 0.3


def test_a_new_drive_does_not_click() -> None:
    tone = sine(200.0, 0.5)
    node = Drive(drive_db=0.0, cutoff_hz=20_000.0)
    node.prepare(ProcessSpec(RATE_HZ, 8_000, 1))
    out = []
    for index, drive_db in enumerate([0.0, 48.0, 6.0]):
        node.update(drive_db=drive_db)
        piece = np.ascontiguousarray(tone[:, index * 8_000 : (index + 1) * 8_000])
        result = np.empty_like(piece)
        node.process(piece, result)
        out.append(result[0])
    joined = np.diff(np.concatenate(out))
    steady = np.abs(np.diff(driven(tone, drive_db=48.0, cutoff_hz=20_000.0)[0])).max()
    assert np.abs(joined[100:]).max() <= steady
