"""Renderers for tests of file conversion; worker processes import this module by its name."""

from __future__ import annotations

import os
import signal
import time

import numpy as np

from vcfx.errors import PresetError
from vcfx.files.renderer import Block, RendererFactory, RendererSource


class DelayedGain:
    """A delay of `latency` frames, a gain, and an echo one tail later."""

    def __init__(self, sample_rate: int, channels: int, max_frames: int, latency: int, gain: float, tail: int) -> None:
        self.sample_rate, self.channels, self.max_frames = sample_rate, channels, max_frames
        self.latency_samples, self.tail_samples = latency, latency + tail
        self._gain = np.float32(gain)
        self.resets = 0
        self.reset()
        self.resets = 0

    def reset(self) -> None:
        self._past: Block = np.zeros((self.channels, self.tail_samples), np.float32)
        self.resets += 1

    def process(self, block: Block) -> Block:
        assert block.dtype == np.float32
        assert block.flags.c_contiguous
        assert block.shape[0] == self.channels
        assert 0 < block.shape[1] <= self.max_frames
        frames = block.shape[1]
        line: Block = np.concatenate([self._past, block], axis=1)
        self._past = line[:, frames:]
        start = self.tail_samples - self.latency_samples
        out: Block = line[:, start : start + frames] * self._gain
        if start:
            out = out + line[:, :frames] * np.float32(0.5)
        return np.ascontiguousarray(out, np.float32)


def delayed_gain(argument: str) -> RendererFactory:
    """Take "LATENCY GAIN TAIL"."""
    latency, gain, tail = argument.split()
    return lambda rate, channels, frames: DelayedGain(rate, channels, frames, int(latency), float(gain), int(tail))


def unusable(argument: str) -> RendererFactory:
    raise PresetError(f"there is no preset '{argument}'")


class Slow(DelayedGain):
    def process(self, block: Block) -> Block:
        time.sleep(0.05)
        return super().process(block)


class DiesOnMono(DelayedGain):
    def process(self, block: Block) -> Block:
        if self.channels == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().process(block)


class HangsOnMono(DelayedGain):
    def process(self, block: Block) -> Block:
        while self.channels == 1:
            time.sleep(1)
        return super().process(block)


class RaisesOnMono(DelayedGain):
    def process(self, block: Block) -> Block:
        if self.channels == 1:
            raise RuntimeError("a mistake in the renderer")
        return super().process(block)


def slow(argument: str) -> RendererFactory:
    return lambda rate, channels, frames: Slow(rate, channels, frames, 0, 1.0, 0)


def dies_on_mono(argument: str) -> RendererFactory:
    return lambda rate, channels, frames: DiesOnMono(rate, channels, frames, 0, 1.0, 0)


def hangs_on_mono(argument: str) -> RendererFactory:
    return lambda rate, channels, frames: HangsOnMono(rate, channels, frames, 0, 1.0, 0)


def raises_on_mono(argument: str) -> RendererFactory:
    return lambda rate, channels, frames: RaisesOnMono(rate, channels, frames, 0, 1.0, 0)


def source(function: str = "delayed_gain", argument: str = "0 1 0") -> RendererSource:
    return RendererSource("file_renderers", function, argument)


IDENTITY = delayed_gain("0 1 0")
