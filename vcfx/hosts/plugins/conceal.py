"""What is heard while a plugin is late: the last sound played backwards while it fades, then silence, or dry."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcfx.graph.bridge import FADE_MS, POLICIES, REPEAT_MS
from vcfx_dsp.node import Block


class Concealment:
    """Stands in for missing blocks without a click at either end. Thread: worker.

    Parameters
    ----------
    policy
        ``conceal``, ``silence`` or ``dry``; only the last lets the sound through that went in.
    sample_rate, channels, max_frames
        Of the blocks.
    latency_samples
        By how much the dry sound is to be delayed.
    """

    def __init__(self, policy: str, sample_rate: int, channels: int, max_frames: int, latency_samples: int) -> None:
        self._is_dry = policy == "dry"
        self._repeat = max(1, int(REPEAT_MS[POLICIES[policy]] * 1e-3 * sample_rate))
        self._fade = max(1, int(FADE_MS * 1e-3 * sample_rate))
        self._past: Block = np.zeros((channels, self._repeat), np.float32)
        self._anchor = self._past.copy()
        self._dry: Block = np.zeros((channels, latency_samples + max_frames), np.float32)
        self._latency = latency_samples
        self.reset()

    def reset(self) -> None:
        """Forget all sound."""
        self._past[:] = 0
        self._dry[:] = 0
        self._is_missing = False
        self._missing_for = 0
        self._risen = self._fade

    def hear(self, block_in: Block) -> None:
        """Keep what goes in; call before `pass_on` or `stand_in` for the same block."""
        if self._is_dry:
            _append(self._dry, block_in)

    def pass_on(self, block: Block) -> None:
        """Take a block that came in time, and fade it in if one before it did not."""
        self._is_missing = False
        frames = block.shape[1]
        if self._risen < self._fade:
            steps = self._risen + 1 + np.arange(frames)
            gain = np.minimum(1.0, steps / self._fade).astype(np.float32)
            block *= gain
            block += (1.0 - gain) * self._made_up(frames)
            self._risen += frames
        _append(self._past, block)

    def stand_in(self, block: Block) -> None:
        """Fill a block that is missing."""
        if not self._is_missing:
            self._anchor[:] = self._past
            self._is_missing, self._missing_for = True, 0
        self._risen = 0
        block[:] = self._made_up(block.shape[1])
        _append(self._past, block)

    def _made_up(self, frames: int) -> Block:
        places: npt.NDArray[np.int64] = self._missing_for + np.arange(frames)
        self._missing_for += frames
        fade = np.maximum(0.0, 1.0 - places / self._repeat).astype(np.float32)
        made_up: Block = self._anchor[:, np.maximum(0, self._repeat - 1 - places)] * fade
        if self._is_dry:
            end = self._dry.shape[1] - self._latency
            rise = np.minimum(1.0, places / self._repeat).astype(np.float32)
            made_up += rise * self._dry[:, end - frames : end]
        return made_up


def _append(ring: Block, block: Block) -> None:
    """Move a block in at the end; what was there longest goes."""
    kept = min(ring.shape[1], block.shape[1])
    ring[:, : ring.shape[1] - kept] = ring[:, kept:].copy()
    ring[:, ring.shape[1] - kept :] = block[:, block.shape[1] - kept :]
