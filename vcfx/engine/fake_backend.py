"""Devices that do not exist: for tests and benchmarks, driven by a script of block sizes, flags and losses."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vcfx.devices.device import AudioDevice, Direction
from vcfx.errors import DeviceError, nearest
from vcfx.hosts.priority import DEVICE_PRIORITY, ask_for_real_time

from .streams import CallbackFunction, Stream, StreamRequest, StreamSide

Samples = npt.NDArray[np.float32]
_KEPT_BLOCKS = 200_000


@dataclass
class FakeDevice:
    """One device and what it does.

    Parameters
    ----------
    name, inputs, outputs
        As a person sees it.
    rates
        Hz that it takes.
    ppm
        How much faster than nominal its clock runs.
    blocks
        Frames of successive callbacks, repeated for ever; empty for what the engine asks for.
    flags
        PortAudio flags of successive callbacks, repeated for ever.
    source
        What its microphone hears: a function of the first frame's number and the count.
    period
        The shortest block that it gives evenly spaced.
    speed
        How much faster than real time it runs; 0 for as fast as possible.
    real_time
        Whether its thread asks to run ahead of ordinary ones, as a driver's does.
    """

    name: str
    inputs: int = 1
    outputs: int = 2
    rates: Sequence[int] = (48_000,)
    ppm: float = 0.0
    blocks: Sequence[int] = ()
    flags: Sequence[int] = (0,)
    source: Callable[[int, int], Samples] = lambda first, count: np.zeros(count, np.float32)
    speed: float = 1.0
    host_api: str = "Fake"
    period: int = 1
    present: bool = True
    real_time: bool = False
    played: list[Samples] = field(default_factory=list)

    def described(self, index: int) -> AudioDevice:
        """Return what a catalogue says of it."""
        return AudioDevice(index, self.name, self.host_api, self.inputs, self.outputs, self.rates[0])


class FakeStream:
    """Calls the engine's callback from a thread, as a driver would."""

    input_latency_ms: float | None = None
    output_latency_ms: float | None = None

    def __init__(self, request: StreamRequest, device: FakeDevice) -> None:
        self._request, self._device = request, device
        self._callback = CallbackFunction(request.callback)
        self._running = False
        self._thread = threading.Thread(target=self._run, name=f"fake {device.name}", daemon=True)
        block = max([request.block, *device.blocks])
        sides = (request.input, request.output)
        self._buffers = [np.zeros((side.channels if side else 0, block), np.float32) for side in sides]
        self._pointers = [np.array([row.ctypes.data for row in rows], np.int64) for rows in self._buffers]

    @property
    def active(self) -> bool:
        """Whether the device still calls."""
        return self._running and self._device.present and self._thread.is_alive()

    def start(self) -> None:
        """Begin to call."""
        self._running = True
        self._thread.start()

    def close(self) -> bool:
        """Stop."""
        self._running = False
        if self._thread.is_alive():
            self._thread.join(5.0)
        return not self._thread.is_alive()

    def _run(self) -> None:
        device, request = self._device, self._request
        if device.real_time:
            ask_for_real_time(DEVICE_PRIORITY)
        sizes = itertools.cycle(device.blocks or (request.block,))
        flags = itertools.cycle(device.flags)
        frames_per_s = request.sample_rate * (1.0 + device.ppm * 1e-6) * device.speed
        done, start_s = 0, time.monotonic()
        while self._running and device.present:
            frames = next(sizes)
            self._call(done, frames, next(flags))
            done += frames
            if frames_per_s:
                time.sleep(max(0.0, start_s + done / frames_per_s - time.monotonic()))

    def _call(self, first: int, frames: int, flags: int) -> None:
        source, target = self._buffers
        source[:, :frames] = self._device.source(first, frames)
        addresses = [pointers.ctypes.data if len(pointers) else None for pointers in self._pointers]
        self._callback(addresses[0], addresses[1], frames, None, flags, self._request.user_data)
        if len(target) and len(self._device.played) < _KEPT_BLOCKS:
            self._device.played.append(target[:, :frames].copy())


class FakeBackend:
    """An audio system made of `FakeDevice` objects; a device is lost by setting its `present` to False."""

    def __init__(self, devices: Sequence[FakeDevice]) -> None:
        self.made = list(devices)
        self.rescans = 0

    def find(self, query: str | int | None, direction: Direction) -> AudioDevice:
        """Return the first present device whose name holds `query`."""
        wanted = str(query or "").rpartition(":")[2]
        for index, device in enumerate(self.made):
            found = device.described(index)
            if device.present and wanted.casefold() in device.name.casefold() and found.channels(direction):
                return found
        names = [device.name for device in self.made if device.present]
        raise DeviceError(f"there is no {direction} device '{wanted}'{nearest(wanted, names)}")

    def devices(self) -> list[AudioDevice]:
        """Return the devices that are present."""
        return [device.described(index) for index, device in enumerate(self.made) if device.present]

    def supports(self, side: StreamSide, direction: Direction, sample_rate: int) -> bool:
        """Whether the device takes that rate."""
        return sample_rate in self.made[side.device.index].rates

    def least_block(self, device: AudioDevice) -> int:
        """Return the device's period."""
        return self.made[device.index].period

    def open(self, request: StreamRequest) -> Stream:
        """Open a stream."""
        side = request.output or request.input
        if side is None:
            raise DeviceError("a stream needs an input or an output device")
        device = self.made[side.device.index]
        if not device.present:
            raise DeviceError(f"'{device.name}' is gone")
        return FakeStream(request, device)

    def rescan(self) -> None:
        """Count how often the engine looked for devices."""
        self.rescans += 1


def tone(frequency_hz: float, sample_rate: int, amplitude: float = 0.5) -> Callable[[int, int], Samples]:
    """Return a source that plays a sine."""

    def source(first: int, count: int) -> Samples:
        phase = 2.0 * np.pi * frequency_hz * (first + np.arange(count)) / sample_rate
        return (amplitude * np.sin(phase)).astype(np.float32)

    return source
