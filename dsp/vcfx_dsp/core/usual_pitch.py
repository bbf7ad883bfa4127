"""A speaker's usual pitch: an octave above or below it is believed only on good evidence."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .kernel import compiled

#: In ``memory``: the mean logarithm of the lags heard lately, and how many hops it rests on.
USUAL, HEARD = 0, 1
USUAL_SIZE: Final = 2

# Found by search on one half of the speakers, together with the path costs of `f0`.
#: Distance |ln(ratio)| from the usual pitch that costs nothing, and the cost per unit beyond it.
LOWER_FREE: Final = 0.3
LOWER_COST: Final = 0.4
HIGHER_FREE: Final = 0.66
HIGHER_COST: Final = 0.26
#: However unusual, another voice must be able to take over.
MOST_COST: Final = 0.2
HOPS_TO_BELIEVE: Final = 70.0
HOPS_KEPT: Final = 100.0  # half a second of voice
LEAST_STRENGTH: Final = 0.8


@compiled
def lower_unusual(memory: Any, lags: Any, scores: Any, found: int) -> None:
    """Lower the scores of candidates far from the usual pitch, the more the better it is known."""
    belief = min(memory[HEARD] / HOPS_TO_BELIEVE, 1.0)
    if belief == 0.0:
        return
    for index in range(found):
        longer = np.log(lags[index]) - memory[USUAL]
        cost = max(LOWER_COST * (longer - LOWER_FREE), HIGHER_COST * (-longer - HIGHER_FREE))
        scores[index] -= belief * min(max(cost, 0.0), MOST_COST)


@compiled
def remember_usual(memory: Any, lag: float, strength: float) -> None:
    """Let a frame (lag 0: unvoiced) that is clear enough move the usual pitch."""
    if lag > 0.0 and strength > LEAST_STRENGTH:
        memory[HEARD] = min(memory[HEARD] + 1.0, HOPS_KEPT)
        memory[USUAL] += (np.log(lag) - memory[USUAL]) / memory[HEARD]
