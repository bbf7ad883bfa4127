"""Calls an engine's callback by hand, in the test's own time."""

from __future__ import annotations

import numpy as np

from vcfx.engine.engine import Engine
from vcfx.engine.fake_backend import FakeBackend, FakeDevice
from vcfx.engine.streams import StreamRequest, StreamSide


class Driver:
    """Feeds a signal through an engine in blocks; `position` counts frames."""

    def __init__(self, engine: Engine, channels_in: int = 1, channels_out: int = 2) -> None:
        self._device = FakeDevice("driver")
        backend = FakeBackend([self._device])
        found = backend.find("driver", "output")
        sides = StreamSide(found, channels_in), StreamSide(found, channels_out)
        request = StreamRequest(engine.output_callback, engine.address, engine.sample_rate, 4_096, *sides)
        self._stream = backend.open(request)
        self.position = 0

    def run(self, signal: np.ndarray, block: int) -> np.ndarray:
        """Return what the first output channel plays for a signal."""
        first = self.position
        self._device.source = lambda start, count: signal[start - first : start - first + count]
        self._device.played.clear()
        while self.position - first < len(signal):
            frames = min(block, len(signal) - (self.position - first))
            self._stream._call(self.position, frames, 0)  # type: ignore[attr-defined]
            self.position += frames
        return np.concatenate(self._device.played, axis=1)[0] if self._device.played else np.zeros(0, np.float32)
