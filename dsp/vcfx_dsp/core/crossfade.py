"""Fades from one signal to another over a fixed number of frames, resumable at any frame."""

from __future__ import annotations

import math
from typing import Any

from .kernel import compiled


@compiled
def linear_gain(position: int, length: int) -> float:
    """Return the new signal's gain after `position` of `length` frames; the old one's is 1 minus it."""
    if position >= length:
        return 1.0
    return position / length


@compiled
def equal_power_gain(position: int, length: int) -> float:
    """Return the new signal's gain after `position` of `length` frames; the squares of both gains add up to 1."""
    if position >= length:
        return 1.0
    return math.sin(0.5 * math.pi * position / length)


@compiled
def crossfade_into(old: Any, new: Any, out: Any, frames: int, position: int, length: int) -> int:
    """Fade linearly from `old` to `new`: right for signals that resemble each other, as two plans' outputs do.

    Frame k of a fade (counted from 0) holds the new signal at (k + 1) / length, so that the last frame of a fade is
    the new signal, bit for bit, and two equal signals pass unchanged.

    Parameters
    ----------
    old, new, out
        float32 (channels, at least `frames`); `out` may be either of the others.
    frames
        How many frames to write.
    position
        Frames of this fade already done, 0 to `length`.
    length
        Frames of the whole fade; 0 switches at once.

    Returns
    -------
    int
        The new position, `length` when the fade is over.
    """
    for channel in range(out.shape[0]):
        for frame in range(frames):
            gain = linear_gain(position + frame + 1, length)
            if gain >= 1.0:
                out[channel, frame] = new[channel, frame]
            else:
                out[channel, frame] = (1.0 - gain) * old[channel, frame] + gain * new[channel, frame]
    return min(position + frames, length)


@compiled
def crossfade_equal_power_into(old: Any, new: Any, out: Any, frames: int, position: int, length: int) -> int:
    """Fade from `old` to `new` at constant power: right for signals that have nothing in common.

    Arguments and result as in `crossfade_into`.
    """
    for frame in range(frames):
        gain = equal_power_gain(position + frame + 1, length)
        old_gain = math.sqrt(max(1.0 - gain * gain, 0.0))
        for channel in range(out.shape[0]):
            if gain >= 1.0:
                out[channel, frame] = new[channel, frame]
            else:
                out[channel, frame] = old_gain * old[channel, frame] + gain * new[channel, frame]
    return min(position + frames, length)
