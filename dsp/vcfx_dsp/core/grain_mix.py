"""Grains that sound: each reads the input ring around an analysis mark and is faded in and out around its own time."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .kernel import compiled
from .sinc_reader import PHASE_TABLE_SIZE, PHASES, read_between, read_compressed

GRAINS: Final = 40
#: What a grain is made of, in ``memory``, GRAIN_SIZE numbers each; all times in input samples.
CENTRE, OFFSET, SPEED, LEFT, RIGHT, AMPLITUDE, COHERENCE, DEFAULT_RIGHT, FIRST, LAST, MARK, FENCED = range(12)
GRAIN_SIZE: Final = 12
GRAIN_MEMORY: Final = GRAINS * GRAIN_SIZE
#: ``RIGHT`` before it is known.
OPEN: Final = -1.0
FENCE_SAMPLES: Final = 8.0


#: In ``counters``: how many grains sound, and their slots, the sounding ones first.
SOUNDING, SLOTS_AT = 0, 1
GRAIN_COUNTERS: Final = 1 + GRAINS


@compiled
def take_grain(counters: Any) -> int:
    """Return an idle slot, now sounding; the one that took longest ago when all are busy."""
    if counters[SOUNDING] < GRAINS:
        counters[SOUNDING] += 1
    slot: int = counters[SLOTS_AT + counters[SOUNDING] - 1]
    return slot


@compiled
def end_grain(counters: Any, place: int) -> None:
    """Let the grain at a place of the list fall silent; the order of the others stays."""
    slot = counters[SLOTS_AT + place]
    counters[SOUNDING] -= 1
    for later in range(place, counters[SOUNDING]):
        counters[SLOTS_AT + later] = counters[SLOTS_AT + later + 1]
    counters[SLOTS_AT + counters[SOUNDING]] = slot


@compiled
def fade(ratio: float) -> float:
    """Return the rising half of a window at 0 to 1: a cubic that sums to one with its mirror image."""
    return ratio * ratio * (3.0 - 2.0 * ratio)


@compiled
def grain_weight(grain: Any, time: float) -> float:
    """Return the window of a grain at `time`, negative once the grain is over."""
    since = time - grain[CENTRE]
    if since < 0.0:
        weight = fade(max(1.0 + since / grain[LEFT], 0.0))
    else:
        if grain[RIGHT] == OPEN:
            grain[RIGHT] = grain[DEFAULT_RIGHT]
        if since >= grain[RIGHT]:
            return -1.0
        weight = fade(1.0 - since / grain[RIGHT])
    if grain[COHERENCE] < 1.0:
        power = np.sqrt(weight * weight + (1.0 - weight) * (1.0 - weight))
        weight /= grain[COHERENCE] + (1.0 - grain[COHERENCE]) * power
    total: float = weight * grain[AMPLITUDE]
    return total


@compiled
def fence(grain: Any, position: float) -> float:
    """Return 0 for input that lies behind the grain's fences (beyond a transient), else 1, with a short slope."""
    inside = min(position - grain[FIRST], grain[LAST] - position)
    open_share: float = min(max(inside / FENCE_SAMPLES, 0.0), 1.0)
    return open_share


@compiled
def add_grain(grain: Any, time: int, weight: float, rings: Any, span: int, tables: Any, out: Any) -> None:
    """Add one grain's sample of every channel to `out`; `rings` holds one doubled ring of 2 * `span` per channel.

    `tables` is the phase table followed by one side of the sinc (`sinc_reader`).
    """
    position = grain[CENTRE] + grain[OFFSET] + grain[SPEED] * (time - grain[CENTRE])
    if grain[FENCED] != 0.0:
        weight *= fence(grain, position)
    mask = span - 1
    base = int(np.floor(position))
    row = int((position - base) * PHASES + 0.5)
    for channel in range(out.shape[0]):
        ring = rings[2 * span * channel :]
        if grain[SPEED] > 1.0:
            out[channel] += weight * read_compressed(ring, mask, tables[PHASE_TABLE_SIZE:], position, grain[SPEED])
        elif row == 0:
            out[channel] += weight * ring[base & mask]
        else:
            out[channel] += weight * read_between(ring, mask, tables, row, base)


@compiled
def mix_grains(counters: Any, grains: Any, time: int, rings: Any, span: int, tables: Any, out: Any) -> None:
    """Sum all grains at `time` into `out`, one number per channel."""
    for channel in range(out.shape[0]):
        out[channel] = 0.0
    place = 0
    while place < counters[SOUNDING]:
        grain = grains[counters[SLOTS_AT + place] * GRAIN_SIZE :]
        weight = grain_weight(grain, time)
        if weight < 0.0:
            end_grain(counters, place)
            continue
        add_grain(grain, time, weight, rings, span, tables, out)
        place += 1
