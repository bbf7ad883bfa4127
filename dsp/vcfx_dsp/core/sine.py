"""Sine and cosine in plain arithmetic, so that loops over them run in vector registers."""

from __future__ import annotations

import math
from typing import Any

from .kernel import compiled
from .native import float_bits, float_of_bits

#: Added to a float below 2**51, it leaves the nearest whole number in the lowest bits.
_ROUNDING = 1.5 * 2.0**52
_SIGN_BIT = 63
# Pi in two parts, the first of so few bits that its multiples used here are exact.
_PI_UPPER = round(math.pi * 2.0**30) / 2.0**30
_PI_LOWER = math.pi - _PI_UPPER


@compiled
def quick_sin_cos(angle: float) -> Any:
    """Return sine and cosine of an angle in radians, off by less than 1e-12 from -10,000 to 10,000.

    Taylor's series around the nearest multiple of pi; odd multiples turn both signs.
    """
    shifted = angle * (1.0 / math.pi) + _ROUNDING
    half_turns = shifted - _ROUNDING
    x = (angle - half_turns * _PI_UPPER) - half_turns * _PI_LOWER
    z = x * x
    sine = -1.0 / 1_307_674_368_000.0 + z * (1.0 / 355_687_428_096_000.0 - z * (1.0 / 121_645_100_408_832_000.0))
    sine = -1.0 / 5_040.0 + z * (1.0 / 362_880.0 + z * (-1.0 / 39_916_800.0 + z * (1.0 / 6_227_020_800.0 + z * sine)))
    sine = x * (1.0 + z * (-1.0 / 6.0 + z * (1.0 / 120.0 + z * sine)))
    cosine = 1.0 / 20_922_789_888_000.0 + z * (-1.0 / 6_402_373_705_728_000.0 + z * (1.0 / 2_432_902_008_176_640_000.0))
    cosine = 1.0 / 40_320.0 + z * (
        -1.0 / 3_628_800.0 + z * (1.0 / 479_001_600.0 + z * (-1.0 / 87_178_291_200.0 + z * cosine))
    )
    cosine = 1.0 + z * (-0.5 + z * (1.0 / 24.0 + z * (-1.0 / 720.0 + z * cosine)))
    turned = float_bits(shifted) << _SIGN_BIT
    return float_of_bits(float_bits(sine) ^ turned), float_of_bits(float_bits(cosine) ^ turned)
