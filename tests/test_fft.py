from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.runtime import rtsys

from vcfx_dsp.core.fft import fft_table, fft_table_size, irfft, rfft
from vcfx_dsp.errors import ParameterError

LENGTHS = [8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096]


def transformed(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
    real, imaginary = np.full((2, len(signal) // 2 + 1), np.nan)
    rfft(signal, real, imaginary, fft_table(len(signal)))
    return np.asarray(real + 1j * imaginary, np.complex128)


@given(n=st.sampled_from(LENGTHS), seed=st.integers(0, 1_000))
def test_it_equals_numpy(n: int, seed: int) -> None:
    signal = np.random.default_rng(seed).standard_normal(n)
    np.testing.assert_allclose(transformed(signal), np.fft.rfft(signal), rtol=0, atol=1e-14 * n)


@given(n=st.sampled_from(LENGTHS), seed=st.integers(0, 1_000))
def test_the_inverse_equals_numpy(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    real, imaginary = rng.standard_normal((2, n // 2 + 1))
    expected = np.fft.irfft(real + 1j * imaginary)
    out = np.full(n, np.nan)
    irfft(real, imaginary, out, fft_table(n))
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-14 * n)


@pytest.mark.parametrize("n", LENGTHS)
def test_an_impulse_is_flat_and_a_cosine_is_one_line(n: int) -> None:
    np.testing.assert_allclose(np.abs(transformed(np.eye(n)[3])), 1.0, rtol=0, atol=1e-14)
    line = transformed(np.cos(2 * np.pi * 2 * np.arange(n) / n))
    assert line[2] == pytest.approx(n / 2, abs=1e-11)
    line[2] = 0.0
    assert np.abs(line).max() < 1e-11


@pytest.mark.parametrize("n", [128, 4_096])
def test_single_precision_buffers(n: int, rng: np.random.Generator) -> None:
    signal = rng.standard_normal(n).astype(np.float32)
    real, imaginary = np.empty((2, n // 2 + 1), np.float32)
    table = fft_table(n).astype(np.float32)
    rfft(signal, real, imaginary, table)
    expected = np.fft.rfft(signal.astype(np.float64))
    np.testing.assert_allclose(real + 1j * imaginary, expected, rtol=0, atol=3e-7 * np.abs(expected).max())
    back = np.empty(n, np.float32)
    irfft(real, imaginary, back, table)
    np.testing.assert_allclose(back, signal, rtol=0, atol=3e-6)


def test_it_allocates_nothing_but_array_headers(rng: np.random.Generator) -> None:
    n = 512
    signal, table = rng.standard_normal(n), fft_table(n)
    real, imaginary = np.empty((2, n // 2 + 1))
    rfft(signal, real, imaginary, table)
    before = rtsys.get_allocation_stats().alloc
    rfft(signal, real, imaginary, table)
    assert rtsys.get_allocation_stats().alloc - before == 4  # one for each array passed from Python


@pytest.mark.parametrize("n", LENGTHS)
def test_the_tables_size_is_stated(n: int) -> None:
    assert fft_table(n).size == fft_table_size(n)


@pytest.mark.parametrize("n", [0, 4, 24, 1_000])
def test_other_lengths_are_refused(n: int) -> None:
    with pytest.raises(ParameterError, match=f"length is {n}; allowed: powers of two from 8 up"):
        fft_table(n)
