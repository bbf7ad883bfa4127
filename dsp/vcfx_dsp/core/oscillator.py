"""Sources without audible aliases, driven by a phase in cycles."""

from __future__ import annotations

from typing import Any

from .kernel import compiled


@compiled
def sawtooth(phase: float, step: float) -> float:
    """Return a rising sawtooth of -1 to 1 with its jump rounded over two samples (PolyBLEP).

    Parameters
    ----------
    phase
        0 to 1 (exclusive), the jump at 0.
    step
        Cycles per frame, above 0 and below 0.5.

    References
    ----------
    V. Valimaki, A. Huovilainen, "Antialiasing oscillators in subtractive synthesis", IEEE Signal Processing Magazine
    24(2), 2007.
    """
    value = 2.0 * phase - 1.0
    if phase < step:
        after = phase / step - 1.0
        value += after * after
    elif phase > 1.0 - step:
        before = (phase - 1.0) / step + 1.0
        value -= before * before
    return value


@compiled
def next_phase(phase: float, step: float) -> float:
    """Return the phase one frame later, 0 to 1 (exclusive)."""
    phase += step
    if phase >= 1.0:
        phase -= 1.0
    return phase


@compiled
def noise_sample(counters: Any, at: int) -> float:
    """Return the next of a row of even random numbers from -1 to 1; ``counters[at]`` holds where the row stands.

    A 64-bit linear congruential generator (D. E. Knuth, MMIX), of which the upper 32 bits are used.
    """
    counters[at] = counters[at] * 6364136223846793005 + 1442695040888963407
    return float(counters[at] >> 32) * 4.656612873077393e-10  # 2 ** -31
