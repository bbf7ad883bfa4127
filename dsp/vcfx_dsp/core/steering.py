"""The controller that holds a bridge's fill: proportional and integral, slew-limited, wide at first and then narrow."""

from __future__ import annotations

import math
from typing import Any

from .kernel import compiled

#: Places in the controller's float64 memory. INTEGRAL is the drift found so far, relative; CORRECTION what is applied.
INTEGRAL, CORRECTION, AGE_S, LIMIT = range(4)
STEERING_SIZE = 4
SLEW_PER_S = 500e-6
#: With gains of 4 / age and 6 / age^2, a line is found as by least squares over the whole age.
SCHEDULE = math.sqrt(6.0)
DAMPING = 2.0 / SCHEDULE
FIRST_RAD_S, FINAL_RAD_S = 1.0, 0.05
#: A larger excess comes rather from a changed target or lost audio; the drift learns the less from it.
LARGEST_DRIFT_EXCESS_S = 1e-3


def steering_memory(max_correction: float) -> list[float]:
    """Return the initial memory for a largest relative correction."""
    return [0.0, 0.0, 0.0, max_correction]


@compiled
def _clamp(value: float, limit: float) -> float:
    return min(limit, max(-limit, value))


@compiled
def steer(memory: Any, at: int, excess_s: float, duration_s: float) -> float:
    """Return the relative correction of the reading speed, for audio of `excess_s` more than wanted in the buffer.

    The bandwidth falls as 1 / age: fast at first to find the drift, narrow later so that jitter does not pass.
    """
    limit = memory[at + LIMIT]
    omega = max(FINAL_RAD_S, SCHEDULE / (SCHEDULE / FIRST_RAD_S + memory[at + AGE_S]))
    learned_s = excess_s
    if abs(excess_s) > LARGEST_DRIFT_EXCESS_S:
        learned_s = LARGEST_DRIFT_EXCESS_S**2 / excess_s
    integral = memory[at + INTEGRAL] + omega * omega * learned_s * duration_s
    memory[at + INTEGRAL] = _clamp(integral, limit)
    wanted = _clamp(memory[at + INTEGRAL] + 2.0 * DAMPING * omega * excess_s, limit)
    change = _clamp(wanted - memory[at + CORRECTION], SLEW_PER_S * duration_s)
    memory[at + CORRECTION] += change
    memory[at + AGE_S] += duration_s
    correction: float = memory[at + CORRECTION]
    return correction
