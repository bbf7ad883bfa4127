"""How fast a run learns at each of its steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

#: Of the highest rate, what is left at the end.
LEFT_AT_THE_END: Final = 0.05


def learning_rate(schedule: Mapping[str, float], step: int) -> float:
    """Rise over the warm-up, then fall along a cosine to a twentieth.

    Parameters
    ----------
    schedule
        ``peak``, the highest rate; ``warmup`` and ``steps``, counted from the first step.
    step
        From 0; after the last, the rate stays.
    """
    if step < schedule["warmup"]:
        return float(schedule["peak"] * (step + 1) / schedule["warmup"])
    share = min(step / schedule["steps"], 1.0)
    fallen = LEFT_AT_THE_END + (1.0 - LEFT_AT_THE_END) * 0.5 * (1.0 + math.cos(math.pi * share))
    return float(schedule["peak"] * fallen)
