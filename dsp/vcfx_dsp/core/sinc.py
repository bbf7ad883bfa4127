"""Windowed-sinc low-pass filters for resampling: lengths from Kaiser's formulas, tables of their taps.

References
----------
J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974.
J. O. Smith, "Digital Audio Resampling", https://ccrma.stanford.edu/~jos/resample/.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import ParameterError, nearest

#: Polynomial pieces per input frame where the cut-off is the input's Nyquist frequency. The error of a cubic through
#: four Chebyshev nodes is (pi / pieces)^4 / 3072, here -150 dB.
PIECES: Final = 32
_CUBIC: Final = 4
_TAP_MULTIPLE: Final = 4  # half-width's; whole rows are then a multiple of eight floats


@dataclass(frozen=True, slots=True)
class Quality:
    """What a resampling filter keeps and rejects.

    Parameters
    ----------
    pass_ratio
        Flat up to this share of the lower Nyquist frequency.
    stop_ratio
        Rejected from this share on; above 1, aliases and images reach down to ``2 - stop_ratio``.
    attenuation_db
        Design depth of the stop band, 5 dB more than promised.
    """

    pass_ratio: float
    stop_ratio: float
    attenuation_db: float


QUALITIES: Final = {
    "fast": Quality(0.8, 1.2, 95.0),
    "standard": Quality(0.9, 1.0, 105.0),
    "high": Quality(0.95, 1.0, 125.0),
}


@dataclass(frozen=True, slots=True)
class Sinc:
    """A continuous low-pass impulse response, in units of input frames.

    Parameters
    ----------
    half_width
        The response is zero from this distance on.
    cutoff
        -6 dB point, cycles per input frame.
    beta
        Shape of the Kaiser window.
    """

    half_width: int
    cutoff: float
    beta: float

    @property
    def taps(self) -> int:
        """Input frames that one output frame looks at."""
        return 2 * self.half_width

    def at(self, distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the response at distances in input frames."""
        inside = np.maximum(1.0 - (distance / self.half_width) ** 2, 0.0)
        window = np.i0(self.beta * np.sqrt(inside)) / np.i0(self.beta)
        response = 2.0 * self.cutoff * np.sinc(2.0 * self.cutoff * distance) * window
        return np.where(inside > 0.0, response, 0.0)


def quality_named(name: str) -> Quality:
    """Return the quality of that name."""
    if name not in QUALITIES:
        raise ParameterError(f"quality '{name}' does not exist{nearest(name, QUALITIES)}")
    return QUALITIES[name]


def kaiser_beta(attenuation_db: float) -> float:
    """Return the window's shape for a stop band deeper than 50 dB (Kaiser 1974)."""
    return 0.1102 * (attenuation_db - 8.7)


def design_sinc(rate_in_hz: int, rate_out_hz: int, quality: Quality) -> Sinc:
    """Design the low-pass for a rate pair; its cut-off follows the lower of the two Nyquist frequencies."""
    lower_nyquist = 0.5 * min(1.0, rate_out_hz / rate_in_hz)
    transition = (quality.stop_ratio - quality.pass_ratio) * lower_nyquist
    length = (quality.attenuation_db - 7.95) / (2.285 * 2.0 * math.pi * transition) + 1.0
    half_width = _TAP_MULTIPLE * math.ceil(length / 2.0 / _TAP_MULTIPLE)
    cutoff = 0.5 * (quality.pass_ratio + quality.stop_ratio) * lower_nyquist
    return Sinc(half_width, cutoff, kaiser_beta(quality.attenuation_db))


def tap_distances(sinc: Sinc, fraction: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (fractions, taps): how far tap i, at frame ``i - half_width + 1``, is from each time in [0, 1)."""
    return np.arange(sinc.taps) - (sinc.half_width - 1.0) - fraction[:, None]


def phase_rows(sinc: Sinc, phases: int) -> npt.NDArray[np.float32]:
    """Return (phases, taps): the taps for each of the times 0, 1/phases, 2/phases..."""
    return sinc.at(tap_distances(sinc, np.arange(phases) / phases)).astype(np.float32)


def piece_count(sinc: Sinc) -> int:
    """Return how many cubic pieces per input frame keep the interpolation error below the stop band."""
    return max(2, math.ceil(PIECES * min(1.0, 2.0 * sinc.cutoff)))


def cubic_rows(sinc: Sinc, pieces: int) -> npt.NDArray[np.float32]:
    """Return (pieces, 4, taps): the polynomials in t of [0, 1) that give every tap at ``(piece + t) / pieces``.

    Each is the cubic through the response at four Chebyshev nodes.
    """
    nodes = 0.5 - 0.5 * np.cos((np.arange(_CUBIC) + 0.5) * np.pi / _CUBIC)
    solve = np.linalg.inv(np.vander(nodes, _CUBIC, increasing=True))
    times = (np.arange(pieces)[:, None] + nodes) / pieces
    values = sinc.at(tap_distances(sinc, times.ravel())).reshape(pieces, _CUBIC, sinc.taps)
    rows: npt.NDArray[np.float32] = np.einsum("cn,pnt->pct", solve, values).astype(np.float32)
    return rows
