"""White Gaussian noise in which every sample is a function of its index alone: it can be entered anywhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .exponential import quick_log
from .kernel import compiled
from .sine import quick_sin_cos

_STEP, _FIRST_FACTOR, _SECOND_FACTOR = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
)
# Shifts of the generator's type: mixed with int64, numba would leave whole numbers.
_FIRST_SHIFT, _SECOND_SHIFT, _LAST_SHIFT, _UPPER_53 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_SHARE_OF_53_BITS = 2.0**-53


@compiled
def _mixed(index: Any) -> Any:
    bits = index * _STEP
    bits = (bits ^ (bits >> _FIRST_SHIFT)) * _FIRST_FACTOR
    bits = (bits ^ (bits >> _SECOND_SHIFT)) * _SECOND_FACTOR
    return bits ^ (bits >> _LAST_SHIFT)


@compiled
def gaussian_sample(index: int) -> float:
    """Return sample `index`, 0 or more, of a row of independent Gaussian numbers of mean 0 and variance 1.

    Two numbers from SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA
    2014), numbers 2 i + 1 and 2 i + 2 of the seed 0, become one by the transform of G. Box and M. Muller (1958).
    """
    first = np.uint64(2 * index + 1)
    radius_share = float((_mixed(first) >> _UPPER_53) + np.uint64(1)) * _SHARE_OF_53_BITS
    turn = float(_mixed(first + np.uint64(1)) >> _UPPER_53) * _SHARE_OF_53_BITS
    _, cosine = quick_sin_cos(2.0 * math.pi * turn)
    sample: float = math.sqrt(-2.0 * quick_log(radius_share)) * cosine
    return sample
