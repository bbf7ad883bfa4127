"""What the mark says: 24 bits, carried by 48 under an error-correcting code.

The code is the extended quadratic-residue code of length 48: any two words differ in at least 12 places. Decoding is
soft, by ordered statistics (Fossorier and Lin, "Soft-decision decoding of linear block codes based on ordered
statistics", 1995): the 24 most reliable independent bits are taken as heard, then with up to three of them flipped;
the word that fits all 48 best wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import ParameterError

INSTALLATION_BITS: Final = 12
VOICE_BITS: Final = 12
PAYLOAD_BITS: Final = INSTALLATION_BITS + VOICE_BITS
CODE_BITS: Final = 48
MAX_PAYLOAD: Final = (1 << PAYLOAD_BITS) - 1
#: Powers of x in the generator of the cyclic code of length 47; its roots are the quadratic residues modulo 47.
GENERATOR_POWERS: Final = (0, 1, 2, 3, 5, 6, 7, 9, 10, 12, 13, 14, 18, 19, 23)
FLIPPED_AT_MOST: Final = 3
Bits = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Payload:
    """What a mark names.

    Parameters
    ----------
    installation
        Tag of the installation, 0 to 4095.
    voice
        Tag of the voice, 0 to 4095.
    """

    installation: int
    voice: int

    def __post_init__(self) -> None:
        fields = (("installation", self.installation, INSTALLATION_BITS), ("voice", self.voice, VOICE_BITS))
        for name, value, bits in fields:
            if not 0 <= value < 1 << bits:
                raise ParameterError(f"watermark {name} is {value}; allowed: 0 to {(1 << bits) - 1}")

    @property
    def number(self) -> int:
        """Both tags as one number, the node's parameter."""
        return self.installation << VOICE_BITS | self.voice

    @classmethod
    def from_number(cls, number: int) -> Payload:
        """Return the payload that `number` stands for."""
        return cls(number >> VOICE_BITS, number & ((1 << VOICE_BITS) - 1))


def encode(number: int) -> Bits:
    """Return the 48 code bits of a payload's number."""
    bits = np.array([number >> place & 1 for place in range(PAYLOAD_BITS)], np.int64)
    word: Bits = bits @ _generator() % 2
    return word


def decode(evidence: npt.NDArray[np.float64], spread: float = 1.0) -> tuple[int, float, float]:
    """Return the payload's number that fits best, how well, and how sure that is.

    Parameters
    ----------
    evidence
        48 numbers, above 0 where a bit looks like 1, the larger the surer.
    spread
        Standard deviation of one of them by chance.

    Returns
    -------
    tuple
        The number; the sum of the evidence with the sign of each code bit; the probability that no other word was
        meant, as far as evidence of one amplitude in Gaussian noise tells.
    """
    basis, order = _reliable_basis(evidence)
    polarity = (1 - 2 * basis).astype(np.float32)
    # +-1 for each code bit: what flipping does multiplies, row by row.
    flipped = [np.ones((1, CODE_BITS), np.float32)]
    flipped += [polarity[chosen].prod(axis=0) for chosen in _flips()]
    changes = np.concatenate(flipped)
    heard = (evidence[order] > 0) @ basis % 2
    fits = changes @ ((2.0 * heard - 1.0) * evidence).astype(np.float32)
    best = int(fits.argmax())
    amplitude = max(float(fits[best]), 0.0) / CODE_BITS
    odds = np.exp(amplitude * (fits - fits[best]) / max(spread, 1e-9) ** 2)
    return _number_of(heard ^ (changes[best] < 0)), float(fits[best]), 1.0 / float(odds.sum())


@cache
def _generator() -> Bits:
    """Rows of the extended code in systematic form: the first 24 bits are the payload's."""
    rows = np.zeros((PAYLOAD_BITS, CODE_BITS), np.int64)
    for row in range(PAYLOAD_BITS):
        rows[row, [row + power for power in GENERATOR_POWERS]] = 1
    rows[:, -1] = rows.sum(axis=1) % 2
    reduced, _ = _reduced(rows, np.arange(CODE_BITS))
    return reduced


@cache
def _flips() -> tuple[Bits, ...]:
    """Every choice of one, two and three of the 24 reliable bits, (how many, choices)."""
    counts = range(1, FLIPPED_AT_MOST + 1)
    return tuple(np.array(list(combinations(range(PAYLOAD_BITS), count))).T for count in counts)


def _reliable_basis(evidence: npt.NDArray[np.float64]) -> tuple[Bits, Bits]:
    """Return the code's rows solved for its most reliable independent bits, and where those bits are."""
    return _reduced(_generator(), np.argsort(-np.abs(evidence), kind="stable"))


def _reduced(rows: Bits, order: Bits) -> tuple[Bits, Bits]:
    """Gauss-Jordan elimination modulo 2, columns tried in the given order; returns the rows and their pivots."""
    rows, pivots = rows.copy(), np.zeros(len(rows), np.int64)
    done = 0
    for column in order:
        candidates = np.flatnonzero(rows[done:, column])
        if candidates.size == 0:
            continue
        pivot = done + candidates[0]
        rows[[done, pivot]] = rows[[pivot, done]]
        others = np.flatnonzero(rows[:, column])
        rows[others[others != done]] ^= rows[done]
        pivots[done] = column
        done += 1
        if done == len(rows):
            break
    return rows, pivots


def _number_of(word: Bits) -> int:
    return int(sum(int(bit) << place for place, bit in enumerate(word[:PAYLOAD_BITS])))
