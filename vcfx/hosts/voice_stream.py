"""A converter of hops at the model's rate, as a stream at any rate and in blocks of any length."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from vcfx_dsp.node import Block
from vcfx_dsp.resampler import Resampler
from vcfx_models.geometry import HOP_SAMPLES, LATENCY_SAMPLES, SAMPLE_RATE

from .sample_queue import SampleQueue, Samples

#: The model hears up to 8 kHz, which the shortest filter leaves alone; its aliases lie above.
RESAMPLER_QUALITY = "fast"
ConvertHop = Callable[[Samples], Samples]


def rebuffer_latency(sample_rate: int, block: int) -> int:
    """Return by how many frames output must lag so that it never runs short under blocks of constant length.

    With 1 as `block`, under blocks of any lengths. Neither the model's nor the resamplers' own delay is in it.
    """
    common = math.gcd(sample_rate, SAMPLE_RATE)
    up, down = SAMPLE_RATE // common, sample_rate // common
    period = math.lcm(block, down * (HOP_SAMPLES // math.gcd(up, HOP_SAMPLES)))
    received: npt.NDArray[np.int64] = np.arange(block, period + block, block, dtype=np.int64)
    hops = -(-received * up // down) // HOP_SAMPLES
    given = -(-hops * HOP_SAMPLES * down // up)
    return int((received - given).max())


class VoiceStream:
    """Resample to the model's rate, convert hop by hop, resample back: as many samples out as in.

    Parameters
    ----------
    convert_hop
        Turns 240 samples at 24 kHz into 240; its output is `LATENCY_SAMPLES` behind its input.
    sample_rate
        Hz, of both ends.
    max_frames
        The longest block.
    constant_blocks
        Whether all blocks have that length, which makes the latency shorter.
    """

    def __init__(self, convert_hop: ConvertHop, sample_rate: int, max_frames: int, constant_blocks: bool) -> None:
        self._convert_hop = convert_hop
        self._inward = Resampler(sample_rate, SAMPLE_RATE, 1, max_frames, RESAMPLER_QUALITY)
        self._outward = Resampler(SAMPLE_RATE, sample_rate, 1, HOP_SAMPLES, RESAMPLER_QUALITY)
        self._lag = rebuffer_latency(sample_rate, max_frames if constant_blocks else 1)
        inner = (LATENCY_SAMPLES + self._inward.delay_frames) * sample_rate / SAMPLE_RATE
        self.latency_samples = self._lag + self._outward.delay_frames + round(inner)
        self._heard = SampleQueue(self._inward.max_out_frames + HOP_SAMPLES)
        hops = self._inward.max_out_frames // HOP_SAMPLES + 1
        self._spoken = SampleQueue(self._lag + max_frames + hops * self._outward.max_out_frames)
        self._hop: Samples = np.zeros(HOP_SAMPLES, np.float32)
        self._row: Block = np.zeros((1, HOP_SAMPLES), np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget the signal; the converter is reset by its owner."""
        self._inward.reset()
        self._outward.reset()
        self._heard.clear()
        self._spoken.clear(self._lag)

    def process(self, heard: Block, spoken: Samples) -> None:
        """Fill `spoken` (frames,) from `heard` (1, frames). Thread: worker."""
        self._heard.put(self._inward.process(heard)[0])
        while len(self._heard) >= HOP_SAMPLES:
            self._heard.take(self._hop)
            self._row[0] = self._convert_hop(self._hop)
            self._spoken.put(self._outward.process(self._row)[0])
        self._spoken.take(spoken)
