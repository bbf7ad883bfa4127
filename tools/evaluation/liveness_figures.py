"""Error rates of a detector, with intervals that draw speakers, not clips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

RESAMPLES: Final = 1_000
SEED: Final = 1

Floats = npt.NDArray[np.float64]


class Rate(NamedTuple):
    """A share with the bounds of its 95 % interval, and over how many clips and speakers."""

    share: float
    low: float
    high: float
    clips: int
    speakers: int


def rate(hits: Sequence[bool] | npt.NDArray[np.bool_], speakers: Sequence[str]) -> Rate:
    """Return the share of hits; its interval draws speakers, or clips where one or two speak them all.

    Where nothing or everything hit, resampling shows no spread: there the interval is that of the rule of three.
    """
    values = np.asarray(hits, np.float64)
    names, owner = np.unique(np.asarray(speakers), return_inverse=True)
    if names.size <= 2:
        owner = np.arange(values.size)
    groups = int(owner.max()) + 1
    sums, counts = np.bincount(owner, values, groups), np.bincount(owner, minlength=groups)
    draws = np.random.default_rng(SEED).integers(0, groups, (RESAMPLES, groups))
    low, high = np.quantile(sums[draws].sum(axis=1) / counts[draws].sum(axis=1), [0.025, 0.975])
    share = float(values.mean())
    spread = min(1.0, 3.0 / groups)
    low, high = (0.0, spread) if share == 0.0 else (1.0 - spread, 1.0) if share == 1.0 else (low, high)
    return Rate(share, float(low), float(high), values.size, int(names.size))


def equal_error(live: Sequence[float], attacks: Sequence[float]) -> float:
    """Return the error rate at the threshold where as many live clips are refused as attacks are let in."""
    one, other = np.sort(np.asarray(live, np.float64)), np.sort(np.asarray(attacks, np.float64))
    thresholds = np.concatenate([one, other])
    refused = np.searchsorted(one, thresholds, "left") / one.size
    let_in = 1.0 - np.searchsorted(other, thresholds, "left") / other.size
    nearest = int(np.argmin(np.abs(refused - let_in)))
    return float((refused[nearest] + let_in[nearest]) / 2.0)
