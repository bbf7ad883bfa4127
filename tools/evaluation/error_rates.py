"""How often two voices are confused: equal error rate, thresholds, and intervals by speaker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .intervals import COVERAGE, SEED

RESAMPLES: Final = 500
LOW_FALSE_ACCEPTANCE: Final = 0.01
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trials:
    """Comparisons of enrolled with tested speech.

    Parameters
    ----------
    scores
        Likeness of each.
    enrolled, tested
        Number of the speaker on either side; the same number: one person.
    """

    scores: Floats
    enrolled: npt.NDArray[np.int64]
    tested: npt.NDArray[np.int64]

    @property
    def is_same(self) -> npt.NDArray[np.bool_]:
        """Which are of one person."""
        return np.equal(self.enrolled, self.tested)


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Of some trials: rates from 0 to 1.

    Parameters
    ----------
    equal_error_rate, low, high
        Where false acceptance and false refusal are equal, and the bounds of the 95 % bootstrap interval by speaker.
    threshold, strict_threshold, strict_refusal
        Likeness at the equal error rate and at 1 % false acceptance, and the false refusals there.
    speakers, same, different
        How many speakers and trials of either kind.
    """

    equal_error_rate: float
    low: float
    high: float
    threshold: float
    strict_threshold: float
    strict_refusal: float
    speakers: int
    same: int
    different: int


def equal_error(scores: Floats, is_same: npt.NDArray[np.bool_], weights: Floats | None = None) -> tuple[float, float]:
    """Return the equal error rate of weighted trials and the threshold there, interpolated between scores."""
    weights = np.ones(scores.size) if weights is None else weights
    order = np.argsort(scores, kind="stable")
    ordered, same, weight = scores[order], is_same[order], weights[order]
    refused = np.concatenate([[0.0], np.cumsum(weight * same)]) / (weight * same).sum()
    accepted = 1.0 - np.concatenate([[0.0], np.cumsum(weight * ~same)]) / (weight * ~same).sum()
    # Threshold n lies between score n - 1 and score n.
    place = int(np.argmax(refused >= accepted))
    before, after = accepted[place - 1] - refused[place - 1], refused[place] - accepted[place]
    share = before / max(before + after, 1e-12)
    rate = refused[place - 1] + share * (refused[place] - refused[place - 1])
    other = accepted[place - 1] + share * (accepted[place] - accepted[place - 1])
    return 0.5 * float(rate + other), float(ordered[min(place - 1, ordered.size - 1)])


def error_rates(trials: Trials) -> ErrorRates:
    """Return what `ErrorRates` describes; speakers are drawn with replacement for the interval."""
    rate, threshold = equal_error(trials.scores, trials.is_same)
    low, high = _bounds(_drawn_rates(trials))
    strict = float(np.quantile(trials.scores[~trials.is_same], 1.0 - LOW_FALSE_ACCEPTANCE))
    same = trials.scores[trials.is_same]
    return ErrorRates(
        equal_error_rate=rate,
        low=low,
        high=high,
        threshold=threshold,
        strict_threshold=strict,
        strict_refusal=float((same <= strict).mean()),
        speakers=int(np.union1d(trials.enrolled, trials.tested).size),
        same=int(same.size),
        different=int(trials.scores.size - same.size),
    )


def difference(one: Trials, other: Trials) -> tuple[float, float, float]:
    """Return by how much the equal error rate of one encoder exceeds another's, and the bounds of its interval.

    Both judge the same trials in the same order, so the same speakers are drawn for both.
    """
    apart = equal_error(one.scores, one.is_same)[0] - equal_error(other.scores, other.is_same)[0]
    return apart, *_bounds(_drawn_rates(one) - _drawn_rates(other))


def _bounds(drawn: Floats) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return float(low), float(high)


def _drawn_rates(trials: Trials) -> Floats:
    """Return the equal error rate of each draw of as many speakers with replacement, the same draws every time."""
    speakers = np.union1d(trials.enrolled, trials.tested)
    enrolled, tested = (np.searchsorted(speakers, side) for side in (trials.enrolled, trials.tested))
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(RESAMPLES):
        times = np.bincount(rng.integers(0, speakers.size, speakers.size), minlength=speakers.size).astype(np.float64)
        weights = np.where(enrolled == tested, times[enrolled], times[enrolled] * times[tested])
        if (weights * trials.is_same).any() and (weights * ~trials.is_same).any():
            drawn.append(equal_error(trials.scores, trials.is_same, weights)[0])
    return np.array(drawn)
