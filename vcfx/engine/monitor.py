"""A second output device that hears what goes out, on a clock of its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcfx_dsp.clock_bridge import ClockBridge

from . import callback
from . import cells as c
from .engine import Engine
from .streams import StreamRequest, StreamSide


class Monitor:
    """A clock bridge from the engine's output to one more device. Thread: control."""

    def __init__(self, engine: Engine, side: StreamSide, sample_rate: int, block: int) -> None:
        self.side = side
        self._sample_rate, self._block = sample_rate, block
        self.bridge = ClockBridge(engine.sample_rate, sample_rate, engine.channels, engine.block, block)
        self._scratch: npt.NDArray[np.float32] = np.zeros(engine.channels * block, np.float32)
        self._fields: npt.NDArray[np.int64] = np.zeros(callback.MONITOR_SIZE, np.int64)
        values = {
            callback.MONITOR_BRIDGE: self.bridge.address,
            callback.MONITOR_CHANNELS: engine.channels,
            callback.MONITOR_DEVICE_CHANNELS: side.channels,
            callback.MONITOR_SCRATCH: int(self._scratch.ctypes.data),
            callback.MONITOR_MAX_FRAMES: block,
        }
        for field, value in values.items():
            self._fields[field] = value
        engine.set_cell(c.MONITOR_BRIDGE, self.bridge.address)

    def request(self) -> StreamRequest:
        """The stream to open for it."""
        address, data = callback.MONITOR_CALLBACK.address, int(self._fields.ctypes.data)
        return StreamRequest(address, data, self._sample_rate, self._block, None, self.side)
