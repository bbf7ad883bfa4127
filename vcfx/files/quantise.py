"""Float samples to integers, exactly, without wrapping."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .renderer import Block

_BITS = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


def replace_non_finite(block: Block) -> int:
    """Set NaN and infinity to 0 in place and return how many there were."""
    finite = np.isfinite(block)
    if finite.all():
        return 0
    block[~finite] = 0.0
    return int(finite.size - np.count_nonzero(finite))


def count_above_full_scale(block: Block) -> int:
    """Count samples beyond +-1.0."""
    return int(np.count_nonzero(np.abs(block) > 1.0))


def is_integer(subtype: str) -> bool:
    """Say whether a subtype stores linear integers."""
    return subtype in _BITS


def to_integers(block: Block, subtype: str) -> npt.NDArray[np.int32]:
    """Round to the subtype's bits and left-justify, as libsndfile takes integers of any width.

    A sample that came from an integer file of the same width gets its own value back: reading divides by a power of
    two, this multiplies by it. 32-bit integers keep the 24 bits that float32 has.

    Parameters
    ----------
    block
        (channels, frames), finite; what lies beyond full scale is held at full scale.
    subtype
        ``PCM_U8`` to ``PCM_32``.

    Returns
    -------
    numpy.ndarray
        (frames, channels), int32, C-contiguous.
    """
    bits = _BITS[subtype]
    full_scale = float(1 << (bits - 1))
    scaled = np.rint(block.T.astype(np.float64) * full_scale)
    np.clip(scaled, -full_scale, full_scale - 1.0, out=scaled)
    return np.ascontiguousarray(scaled.astype(np.int64) << (32 - bits), np.int32)
