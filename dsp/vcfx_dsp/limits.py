"""Checks of the numbers that every stream is described by."""

from __future__ import annotations

import numpy as np

from .errors import ParameterError
from .node import MAX_CHANNELS, MAX_RATE_HZ, MIN_RATE_HZ, Block

MAX_BLOCK_FRAMES = 1 << 20


def check_count(name: str, value: int, high: int) -> int:
    """Return the value if it is from 1 to `high`."""
    if not 1 <= value <= high:
        raise ParameterError(f"{name} is {value}; allowed: 1 to {high}")
    return int(value)


def check_rate(name: str, rate_hz: int) -> int:
    """Return the rate if it is a whole number of Hz from 8000 to 192000."""
    if int(rate_hz) != rate_hz or not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise ParameterError(f"{name} is {rate_hz}; allowed: whole numbers from {MIN_RATE_HZ} to {MAX_RATE_HZ}")
    return int(rate_hz)


def check_channels(channels: int) -> int:
    """Return the channel count if it is from 1 to 32."""
    return check_count("channels", channels, MAX_CHANNELS)


def check_block(block: Block, channels: int, max_frames: int) -> int:
    """Return the frames of a block whose address compiled code may be given."""
    fits = block.ndim == 2 and block.shape[0] == channels and block.shape[1] <= max_frames
    if not (fits and block.dtype == np.float32 and block.flags.c_contiguous):
        given = f"{block.dtype} {block.shape}" + ("" if block.flags.c_contiguous else ", not contiguous")
        raise ParameterError(f"block is {given}; allowed: contiguous float32 ({channels}, 0 to {max_frames})")
    return int(block.shape[1])
