"""Logarithm and exponential in plain arithmetic, so that loops over them run in vector registers.

Against the exact values: `quick_log` is off by less than 1e-12 + 1e-15 |result|, `quick_exp` by less than 1e-12 of the
result. Both are exact at the point where they give 0 and 1.
"""

from __future__ import annotations

import math

from .kernel import compiled
from .native import float_bits, float_of_bits

LN2 = math.log(2.0)
_MANTISSA_BITS = 52
_BITS_OF_ROOT_HALF = 0x3FE6A09E667F3BCD
#: Added to a float below 2**51, it leaves the nearest whole number in the lowest bits.
_ROUNDING = 1.5 * 2.0**_MANTISSA_BITS


@compiled
def quick_log(value: float) -> float:
    """Return the natural logarithm of a normal positive number: of a mantissa m from 0.71 to 1.42 as 2 artanh(s)."""
    bits = float_bits(value)
    exponent = (bits - _BITS_OF_ROOT_HALF) >> _MANTISSA_BITS
    mantissa = float_of_bits(bits - (exponent << _MANTISSA_BITS))
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    series = 1.0 / 9.0 + z * (1.0 / 11.0 + z * (1.0 / 13.0 + z * (1.0 / 15.0)))
    series = 1.0 + z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z * series)))
    logarithm: float = float(exponent) * LN2 + 2.0 * s * series
    return logarithm


@compiled
def quick_exp(value: float) -> float:
    """Return the exponential of a number from -700 to 700: a power of two times Taylor's series within ln(2) / 2."""
    shifted = value * (1.0 / LN2) + _ROUNDING
    x = value - (shifted - _ROUNDING) * LN2
    series = 1.0 / 5_040.0 + x * (1.0 / 40_320.0 + x * (1.0 / 362_880.0 + x * (1.0 / 3_628_800.0)))
    series = 1.0 / 24.0 + x * (1.0 / 120.0 + x * (1.0 / 720.0 + x * series))
    series = 1.0 + x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * series)))
    power: float = float_of_bits(float_bits(series) + (float_bits(shifted) << _MANTISSA_BITS))
    return power
