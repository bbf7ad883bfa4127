"""What the engine asks of an audio system: find a device, open a stream on a compiled callback, close it in time."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Final, Protocol

from vcfx.devices.device import AudioDevice, Direction

#: A stream's callback as `ctypes` sees it: input, output, frames, time, flags, user data.
CallbackFunction: Final = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_void_p,
)


@dataclass(frozen=True, slots=True)
class StreamSide:
    """One direction of a stream: device, channels, and the latency to ask for (None: the device's low one)."""

    device: AudioDevice
    channels: int
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A stream to open.

    Parameters
    ----------
    callback, user_data
        Addresses: of a `vcfx.engine.callback.StreamCallback`, and of what it works on.
    sample_rate, block
        Hz; frames per callback.
    input, output
        At least one.
    """

    callback: int
    user_data: int
    sample_rate: int
    block: int
    input: StreamSide | None = None
    output: StreamSide | None = None


class Stream(Protocol):
    """An open stream. Thread: control."""

    #: What the driver states, None where it states nothing sensible.
    input_latency_ms: float | None
    output_latency_ms: float | None

    @property
    def active(self) -> bool:
        """Whether the device still calls."""

    def start(self) -> None:
        """Begin to call."""

    def close(self) -> bool:
        """Stop and close; False if the driver hung and the stream had to be left behind."""


class Backend(Protocol):
    """An audio system. Thread: control."""

    def find(self, query: str | int | None, direction: Direction) -> AudioDevice:
        """Return the device meant by a number or a part of its name; the default for None."""

    def devices(self) -> list[AudioDevice]:
        """Return every device."""

    def supports(self, side: StreamSide, direction: Direction, sample_rate: int) -> bool:
        """Whether a device takes a rate with so many channels."""

    def least_block(self, device: AudioDevice) -> int:
        """Return the shortest block that comes evenly spaced; shorter ones would come in bursts."""

    def open(self, request: StreamRequest) -> Stream:
        """Open a stream; DeviceError with one sentence if the device refuses."""

    def rescan(self) -> None:
        """Read the device list anew; only while no stream is open."""
