"""Fast Fourier transform of real signals for kernels: no allocation, real and imaginary parts in separate arrays.

A transform of n real values is one of n/2 complex values (even samples real, odd ones imaginary) and a last step
that takes both apart; see H. V. Sorensen et al., "Real-valued fast Fourier transform algorithms", IEEE Transactions
on Acoustics, Speech, and Signal Processing 35(6), 1987.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ParameterError
from .kernel import compiled


def fft_table(n: int) -> npt.NDArray[np.float64]:
    """Return what `rfft` and `irfft` of `n` values need: twiddle factors by stage, the last step's, the bit reversal.

    Parameters
    ----------
    n
        A power of two, 8 or more. May be kept in a state's ``memory``; ``.astype(np.float32)`` suits float32 buffers.

    Returns
    -------
    array
        Of ``fft_table_size(n)`` floats.
    """
    if n < 8 or n & (n - 1):
        raise ParameterError(f"the transform's length is {n}; allowed: powers of two from 8 up")
    half = n // 2
    stages = [np.pi * np.arange(size) / size for size in (1 << stage for stage in range(half.bit_length() - 1))]
    angles = np.concatenate(stages)
    last = 2.0 * np.pi * np.arange(half // 2 + 1) / n
    bits = half.bit_length() - 1
    indices = np.arange(half)
    reversal = sum(((indices >> bit) & 1) << (bits - 1 - bit) for bit in range(bits))
    return np.concatenate([np.cos(angles), -np.sin(angles), np.cos(last), -np.sin(last), reversal]).astype(np.float64)


def fft_table_size(n: int) -> int:
    """Return the number of floats in ``fft_table(n)``."""
    half = n // 2
    return 2 * (half - 1) + 2 * (half // 2 + 1) + half


@compiled
def rfft(x: Any, real: Any, imaginary: Any, table: Any) -> None:
    """Transform: ``X[k] = sum over i of x[i] exp(-2j pi k i / n)`` for k from 0 to n/2, as `numpy.fft.rfft`.

    Parameters
    ----------
    x
        n real values, untouched.
    real, imaginary
        Receive n/2 + 1 values each.
    table
        ``fft_table(n)``.
    """
    half = x.size // 2
    reversal = 2 * (half - 1) + 2 * (half // 2 + 1)
    for index in range(half):
        source = 2 * int(table[reversal + index])
        real[index] = x[source]
        imaginary[index] = x[source + 1]
    _first_two_stages(real, imaginary, half)
    size = 4
    while size < half:
        for start in range(0, half, 2 * size):
            _butterflies(real, imaginary, start, size, table, half)
        size *= 2
    _take_apart(real, imaginary, table, half)


@compiled
def irfft(real: Any, imaginary: Any, x: Any, table: Any) -> None:
    """Undo `rfft`, as `numpy.fft.irfft`; the imaginary parts of the first and last value count as 0.

    Parameters
    ----------
    real, imaginary
        n/2 + 1 values each; used as working space, destroyed.
    x
        Receives n real values.
    table
        ``fft_table(n)``.
    """
    half = x.size // 2
    _put_together(real, imaginary, table, half)
    size = half // 2
    while size >= 4:
        for start in range(0, half, 2 * size):
            _inverse_butterflies(real, imaginary, start, size, table, half)
        size //= 2
    _last_two_stages(real, imaginary, half)
    reversal = 2 * (half - 1) + 2 * (half // 2 + 1)
    scale = 1.0 / half
    for index in range(half):
        target = 2 * int(table[reversal + index])
        x[target] = real[index] * scale
        x[target + 1] = imaginary[index] * scale


@compiled
def _first_two_stages(real: Any, imaginary: Any, half: int) -> None:
    """Butterflies of sizes 1 and 2, whose factors are 1 and -i."""
    for start in range(0, half, 4):
        ar, ai = real[start] + real[start + 1], imaginary[start] + imaginary[start + 1]
        br, bi = real[start] - real[start + 1], imaginary[start] - imaginary[start + 1]
        cr, ci = real[start + 2] + real[start + 3], imaginary[start + 2] + imaginary[start + 3]
        dr, di = real[start + 2] - real[start + 3], imaginary[start + 2] - imaginary[start + 3]
        real[start], imaginary[start] = ar + cr, ai + ci
        real[start + 1], imaginary[start + 1] = br + di, bi - dr
        real[start + 2], imaginary[start + 2] = ar - cr, ai - ci
        real[start + 3], imaginary[start + 3] = br - di, bi + dr


@compiled
def _last_two_stages(real: Any, imaginary: Any, half: int) -> None:
    """Undo `_first_two_stages` but for a factor of 4."""
    for start in range(0, half, 4):
        ar, ai = real[start] + real[start + 2], imaginary[start] + imaginary[start + 2]
        cr, ci = real[start] - real[start + 2], imaginary[start] - imaginary[start + 2]
        br, bi = real[start + 1] + real[start + 3], imaginary[start + 1] + imaginary[start + 3]
        dr, di = imaginary[start + 3] - imaginary[start + 1], real[start + 1] - real[start + 3]
        real[start], imaginary[start] = ar + br, ai + bi
        real[start + 1], imaginary[start + 1] = ar - br, ai - bi
        real[start + 2], imaginary[start + 2] = cr + dr, ci + di
        real[start + 3], imaginary[start + 3] = cr - dr, ci - di


@compiled
def _butterflies(real: Any, imaginary: Any, start: int, size: int, table: Any, half: int) -> None:
    # Views with an index from 0 let the compiler work several butterflies at once.
    upper_real, lower_real = real[start : start + size], real[start + size : start + 2 * size]
    upper_imaginary, lower_imaginary = imaginary[start : start + size], imaginary[start + size : start + 2 * size]
    cosines, sines = table[size - 1 : 2 * size - 1], table[half + size - 2 : half + 2 * size - 2]
    for k in range(size):
        turned_real = lower_real[k] * cosines[k] - lower_imaginary[k] * sines[k]
        turned_imaginary = lower_real[k] * sines[k] + lower_imaginary[k] * cosines[k]
        lower_real[k] = upper_real[k] - turned_real
        lower_imaginary[k] = upper_imaginary[k] - turned_imaginary
        upper_real[k] += turned_real
        upper_imaginary[k] += turned_imaginary


@compiled
def _inverse_butterflies(real: Any, imaginary: Any, start: int, size: int, table: Any, half: int) -> None:
    upper_real, lower_real = real[start : start + size], real[start + size : start + 2 * size]
    upper_imaginary, lower_imaginary = imaginary[start : start + size], imaginary[start + size : start + 2 * size]
    cosines, sines = table[size - 1 : 2 * size - 1], table[half + size - 2 : half + 2 * size - 2]
    for k in range(size):
        difference_real = upper_real[k] - lower_real[k]
        difference_imaginary = upper_imaginary[k] - lower_imaginary[k]
        upper_real[k] += lower_real[k]
        upper_imaginary[k] += lower_imaginary[k]
        lower_real[k] = difference_real * cosines[k] + difference_imaginary * sines[k]
        lower_imaginary[k] = difference_imaginary * cosines[k] - difference_real * sines[k]


@compiled
def _take_apart(real: Any, imaginary: Any, table: Any, half: int) -> None:
    """Turn the transform of even + i odd samples into that of the whole."""
    cosines = 2 * (half - 1)
    sines = cosines + half // 2 + 1
    first_real, first_imaginary = real[0], imaginary[0]
    real[0], imaginary[0] = first_real + first_imaginary, 0.0
    real[half], imaginary[half] = first_real - first_imaginary, 0.0
    for k in range(1, half // 2 + 1):
        mirror = half - k
        even_real = 0.5 * (real[k] + real[mirror])
        even_imaginary = 0.5 * (imaginary[k] - imaginary[mirror])
        odd_real = 0.5 * (imaginary[k] + imaginary[mirror])
        odd_imaginary = 0.5 * (real[mirror] - real[k])
        cosine, sine = table[cosines + k], table[sines + k]
        turned_real = odd_real * cosine - odd_imaginary * sine
        turned_imaginary = odd_real * sine + odd_imaginary * cosine
        real[k], imaginary[k] = even_real + turned_real, even_imaginary + turned_imaginary
        real[mirror], imaginary[mirror] = even_real - turned_real, turned_imaginary - even_imaginary


@compiled
def _put_together(real: Any, imaginary: Any, table: Any, half: int) -> None:
    """Undo `_take_apart`."""
    cosines = 2 * (half - 1)
    sines = cosines + half // 2 + 1
    first, last = real[0], real[half]
    real[0], imaginary[0] = 0.5 * (first + last), 0.5 * (first - last)
    for k in range(1, half // 2 + 1):
        mirror = half - k
        even_real = 0.5 * (real[k] + real[mirror])
        even_imaginary = 0.5 * (imaginary[k] - imaginary[mirror])
        turned_real = 0.5 * (real[k] - real[mirror])
        turned_imaginary = 0.5 * (imaginary[k] + imaginary[mirror])
        cosine, sine = table[cosines + k], table[sines + k]
        odd_real = turned_real * cosine + turned_imaginary * sine
        odd_imaginary = turned_imaginary * cosine - turned_real * sine
        real[k], imaginary[k] = even_real - odd_imaginary, even_imaginary + odd_real
        real[mirror], imaginary[mirror] = even_real + odd_imaginary, odd_real - even_imaginary
