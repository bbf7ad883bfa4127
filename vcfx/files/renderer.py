"""What file conversion needs of whatever changes the sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.float32]


class Renderer(Protocol):
    """A prepared signal chain that works block by block.

    Attributes
    ----------
    sample_rate
        Hz.
    channels
        Rows of a block.
    max_frames
        The longest block that `process` takes.
    latency_samples
        Delay from input to output, exact.
    tail_samples
        Frames after the input falls silent until the output is silent too, latency included.
    """

    @property
    def sample_rate(self) -> int:
        """Hz."""
        ...

    @property
    def channels(self) -> int:
        """Rows of a block."""
        ...

    @property
    def max_frames(self) -> int:
        """The longest block."""
        ...

    @property
    def latency_samples(self) -> int:
        """Exact delay."""
        ...

    @property
    def tail_samples(self) -> int:
        """Frames until silence, latency included."""
        ...

    def process(self, block: Block) -> Block:
        """Return as many frames as were given; the result may be overwritten by the next call."""
        ...

    def reset(self) -> None:
        """Forget all signal history."""
        ...


#: (sample_rate, channels, max_frames) -> a prepared renderer
RendererFactory = Callable[[int, int, int], Renderer]


@dataclass(frozen=True, slots=True)
class RendererSource:
    """Where a worker process finds its renderer factory; plain text, so that it can cross to another process.

    Parameters
    ----------
    module, function
        A callable that takes `argument` and returns a `RendererFactory`.
    argument
        A preset's name or path.
    """

    module: str
    function: str
    argument: str

    def load(self) -> RendererFactory:
        """Import the module and build the factory."""
        factory: RendererFactory = getattr(import_module(self.module), self.function)(self.argument)
        return factory


class ReusedRenderers:
    """A factory that keeps the last renderer: many files of one kind are prepared once.

    Parameters
    ----------
    factory
        What makes a renderer when the rate, the channels or the block differ from the last file's.
    """

    def __init__(self, factory: RendererFactory) -> None:
        self._factory = factory
        self._key: tuple[int, int, int] | None = None
        self._renderer: Renderer | None = None

    def __call__(self, sample_rate: int, channels: int, max_frames: int) -> Renderer:
        """Return a renderer without history."""
        key = (sample_rate, channels, max_frames)
        if self._renderer is None or key != self._key:
            self._renderer, self._key = None, None  # the old one goes before the new one takes its memory
            self._renderer, self._key = self._factory(sample_rate, channels, max_frames), key
        else:
            self._renderer.reset()
        return self._renderer
