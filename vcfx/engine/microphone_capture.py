"""Listen to one input device and keep what comes, for a voice that is recorded; nothing is played or converted."""

from __future__ import annotations

import ctypes
import threading
import time
from typing import Final

import numpy as np
import numpy.typing as npt

from vcfx.errors import DeviceError

from .streams import Backend, CallbackFunction, Stream, StreamRequest, StreamSide

#: More than this is not kept.
MAX_SECONDS: Final = 120.0
PREFERRED_RATE_HZ: Final = 48_000
#: A device that has not called for so long is gone.
SILENT_DEVICE_S: Final = 3.0
_BLOCK: Final = 512
_PEAK_BLOCKS: Final = 8


class MicrophoneCapture:
    """A microphone that is open from construction to `close`; keeps nothing until `begin`.

    Parameters
    ----------
    backend
        The audio system.
    device
        Number or part of a name; None for the default.

    Raises
    ------
    DeviceError
        If there is no such device, or it refuses.
    """

    def __init__(self, backend: Backend, device: str | int | None = None) -> None:
        found = backend.find(device, "input")
        self.name = found.name
        #: Whether it records what programs play, not what a microphone hears.
        self.hears_programs = found.is_monitor or found.is_virtual
        self.sample_rate, side = _chosen_rate(backend, StreamSide(found, 1))
        self._keeping = False
        self._blocks: list[npt.NDArray[np.float32]] = []
        self._frames = 0
        self._peaks = [0.0] * _PEAK_BLOCKS
        self._last_s = time.monotonic()
        self._lock = threading.Lock()
        self._channels = side.channels
        self._callback = CallbackFunction(self._heard)  # must live as long as the stream
        address = ctypes.cast(self._callback, ctypes.c_void_p).value or 0
        block = max(_BLOCK, backend.least_block(found))
        self._stream: Stream = backend.open(StreamRequest(address, 0, self.sample_rate, block, input=side))
        try:
            self._stream.start()
        except DeviceError:
            self._stream.close()
            raise

    @property
    def seconds(self) -> float:
        """How much is kept by now."""
        return self._frames / self.sample_rate

    @property
    def peak(self) -> float:
        """Highest sample of the last tenth of a second, 1.0 full scale."""
        return max(self._peaks)

    @property
    def is_full(self) -> bool:
        """Whether no more is kept."""
        return self.seconds >= MAX_SECONDS

    def begin(self) -> None:
        """Forget what was kept, and keep from now on."""
        with self._lock:
            self._blocks, self._frames, self._keeping = [], 0, True

    def end(self) -> npt.NDArray[np.float32]:
        """Keep no more; return what came since `begin`, (1, frames).

        Raises
        ------
        DeviceError
            If the device is gone.
        """
        with self._lock:
            self._keeping = False
            blocks, self._blocks = self._blocks, []
        self.check()
        return np.concatenate([np.zeros(0, np.float32), *blocks])[None]

    def check(self) -> None:
        """Raise DeviceError if the device has stopped."""
        if not self._stream.active or time.monotonic() - self._last_s > SILENT_DEVICE_S:
            raise DeviceError(f"the microphone '{self.name}' has stopped; nothing was enrolled")

    def close(self) -> None:
        """Let go of the device; what was kept is forgotten."""
        self._keeping = False
        self._stream.close()
        self._blocks = []

    def _heard(self, source: int, _out: int, frames: int, _time: int, _flags: int, _user: int) -> int:
        """Run on the driver's thread for each block; audio is non-interleaved, one pointer per channel."""
        if not source or not frames:
            return 0
        rows = ctypes.cast(source, ctypes.POINTER(ctypes.c_void_p))
        floats = ctypes.cast(rows[0] or 0, ctypes.POINTER(ctypes.c_float))
        block = np.nan_to_num(np.ctypeslib.as_array(floats, (frames,)), nan=0.0, posinf=0.0, neginf=0.0)
        self._last_s = time.monotonic()
        self._peaks = [*self._peaks[1:], float(np.abs(block).max())]
        with self._lock:
            if self._keeping and not self.is_full:
                self._blocks.append(block)
                self._frames += frames
        return 0


def _chosen_rate(backend: Backend, side: StreamSide) -> tuple[int, StreamSide]:
    """Return a rate that the device takes, 48000 Hz if it can be, and the channels that it must be opened with."""
    device = side.device
    for channels in dict.fromkeys((1, min(2, device.max_input_channels), device.max_input_channels)):
        tried = StreamSide(device, channels)
        for rate in dict.fromkeys((PREFERRED_RATE_HZ, device.default_sample_rate_hz, 44_100)):
            if backend.supports(tried, "input", rate):
                return rate, tried
    raise DeviceError(f"'{device.name}' takes none of {PREFERRED_RATE_HZ}, {device.default_sample_rate_hz}, 44100 Hz")
