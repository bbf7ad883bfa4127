"""Means with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

RESAMPLES: Final = 2_000
SEED: Final = 1
COVERAGE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, the bounds of its 95 % interval, and over how many conversions."""

    mean: float
    low: float
    high: float
    count: int


def estimate(values: Sequence[float], weights: Sequence[float] | None = None) -> Estimate | None:
    """Return sum(values) / sum(weights), by default the mean, with its percentile bootstrap interval.

    Conversions are drawn with replacement, `RESAMPLES` times from a fixed seed; so an error rate keeps each
    conversion's edits and words together. None without values.
    """
    above = np.asarray(values, np.float64)
    below = np.ones_like(above) if weights is None else np.asarray(weights, np.float64)
    if not above.size or below.sum() <= 0:
        return None
    draws = np.random.default_rng(SEED).integers(0, above.size, (RESAMPLES, above.size))
    means = above[draws].sum(axis=1) / np.maximum(below[draws].sum(axis=1), 1e-12)
    low, high = np.quantile(means, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Estimate(float(above.sum() / below.sum()), float(low), float(high), int(above.size))
