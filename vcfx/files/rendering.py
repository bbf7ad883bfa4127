"""Push a source through a renderer into a target: latency taken off, the rate changed only where it must be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vcfx_dsp.resampler import Resampler

from .formats import FileFormat
from .quantise import replace_non_finite
from .renderer import Block, Renderer
from .source import Source
from .target import TargetFile

#: Called with the seconds done and, if the header told, the seconds in all.
OnProgress = Callable[[float, float | None], None]


def rate_held(target: FileFormat, sample_rate: int) -> int:
    """Return the rate itself if the format has it, else the next higher one that it has, else its highest."""
    rates = target.sample_rates
    if not rates or sample_rate in rates:
        return sample_rate
    return min((rate for rate in rates if rate > sample_rate), default=max(rates))


class Aligned:
    """Drops a renderer's latency, then a resampler's, and hands the rest on.

    Parameters
    ----------
    sink
        Where the sound goes; its rate is `rate_out_hz`.
    latency_samples
        Frames to drop at the renderer's rate.
    rate_in_hz, rate_out_hz, channels, max_frames
        What `write` is given, what the sink takes.
    """

    def __init__(
        self,
        sink: TargetFile,
        latency_samples: int,
        rate_in_hz: int,
        rate_out_hz: int,
        channels: int,
        max_frames: int,
    ) -> None:
        self._sink, self._to_drop = sink, latency_samples
        self._resampler: Resampler | None = None
        if rate_in_hz != rate_out_hz:
            self._resampler = Resampler(rate_in_hz, rate_out_hz, channels, max_frames, "high")
        self._to_drop_resampled = self._resampler.delay_frames if self._resampler else 0

    def write(self, block: Block) -> None:
        """Take the next rendered block."""
        dropped = min(self._to_drop, block.shape[1])
        self._to_drop -= dropped
        block = block[:, dropped:]
        if self._resampler is None:
            self._put(block)
        elif block.shape[1]:
            self._put_resampled(self._resampler.process(np.ascontiguousarray(block)))

    def finish(self) -> None:
        """Hand on what the resampler still holds."""
        if self._resampler is not None:
            self._put_resampled(self._resampler.flush())

    def _put_resampled(self, block: Block) -> None:
        dropped = min(self._to_drop_resampled, block.shape[1])
        self._to_drop_resampled -= dropped
        self._put(block[:, dropped:])

    def _put(self, block: Block) -> None:
        if block.shape[1]:
            self._sink.write(block)


def render(
    audio: Source, renderer: Renderer, aligned: Aligned, block_frames: int, tail: bool, on_progress: OnProgress
) -> tuple[int, int]:
    """Push the whole source through.

    Returns
    -------
    (int, int)
        Frames read, and samples that were NaN or infinite and became 0.
    """
    done, non_finite = 0, 0
    seconds_in_all = None if audio.frames is None else audio.frames / audio.sample_rate
    while len(interleaved := audio.read(block_frames)):
        block = np.array(interleaved.T, np.float32, order="C")
        non_finite += replace_non_finite(block)
        done += block.shape[1]
        aligned.write(renderer.process(block))
        on_progress(done / audio.sample_rate, seconds_in_all)
    rest = max(renderer.latency_samples, renderer.tail_samples if tail else 0) if done else 0
    while rest:
        frames = min(rest, block_frames)
        aligned.write(renderer.process(np.zeros((audio.channels, frames), np.float32)))
        rest -= frames
    aligned.finish()
    return done, non_finite
