"""A live session: devices found, streams opened on the engine, losses survived."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from vcfx.devices.device import AudioDevice, Direction
from vcfx.errors import DeviceError, VcfxError
from vcfx.graph.build import build_graph
from vcfx.graph.graph import Graph
from vcfx.presets import Preset

from . import cells as c
from .engine import Engine
from .monitor import Monitor
from .streams import Backend, Stream, StreamRequest, StreamSide

PREFERRED_RATE_HZ = 48_000
DEFAULT_BLOCK = 128
_WATCH_S = 0.1
_SILENT_DEVICE_S = 3.0  # a device that has not called for so long is gone
_RETRY_S = 0.5
#: One callback with both sides is right where one clock drives them; elsewhere the bridge joins two.
_ONE_CLOCK_APIS = ("JACK", "ASIO")


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a person asks for; None leaves the choice to the program.

    Parameters
    ----------
    input, output, monitor
        Device numbers or parts of names.
    block
        Frames per callback; a server with a longer period (JACK) has its way.
    sample_rate
        Hz, of both devices.
    latency_ms
        To ask of the drivers.
    channels
        Rows of the graph; 1 for a voice.
    """

    input: str | int | None = None
    output: str | int | None = None
    monitor: str | int | None = None
    block: int = DEFAULT_BLOCK
    sample_rate: int | None = None
    latency_ms: float | None = None
    channels: int = 1


class LiveSession:
    """From `start` to `close`: the voice runs, whatever the devices do. Thread: control."""

    def __init__(
        self,
        backend: Backend,
        preset: Preset,
        request: SessionRequest,
        make_graph: Callable[[Preset], Graph] = build_graph,
    ) -> None:
        self.backend, self.request, self.make_graph = backend, request, make_graph
        self.input = self._side(request.input, "input", request.channels)
        self.output = self._side(request.output, "output", 2)
        self.one_clock = self._has_one_clock()
        # The worker is given its time between two blocks: blocks in bursts would leave it none.
        periods = [backend.least_block(side.device) for side in (self.input, self.output)]
        self.block = max(request.block, *periods)
        self.output_rate, self.input_rate = self._choose_rates()
        self.engine = Engine(
            preset,
            self.output_rate,
            self.block,
            request.channels,
            self.input.channels,
            self.output.channels,
            None if self.one_clock else self.input_rate,
            None if self.one_clock else self.block,
            make_graph,
        )
        self.monitor = self._make_monitor()
        self.problem = ""
        self.hung = False
        self._streams: list[Stream] = []
        self._running = False
        self._watcher: threading.Thread | None = None
        self._seen = (0, 0, time.monotonic())

    def start(self) -> None:
        """Start worker, streams and the watch over them.

        Raises
        ------
        DeviceError
            If a device refuses; nothing is left open then.
        """
        self.engine.start()
        try:
            self.resume()
        except VcfxError:
            self.close()
            raise

    def pause(self) -> None:
        """Let go of the devices; the engine stays as it is. Takes a few seconds at most, even if a driver hangs."""
        self._running = False
        if self._watcher is not None:
            self._watcher.join(10.0)
        self._close_streams()

    def resume(self) -> None:
        """Open the devices (again).

        Raises
        ------
        DeviceError
            If a device refuses.
        """
        try:
            self._open()
        except VcfxError:
            self._close_streams()
            raise
        self._running = True
        self._watcher = threading.Thread(target=self._watch, name="vcfx-watch", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """Stop everything; takes a few seconds at most, even if a driver hangs."""
        self.pause()
        if not self.hung:
            self.engine.close()

    @property
    def hears_itself(self) -> bool:
        """Whether the input is the recording of what the output plays: fine for measuring, a howl for a voice."""
        source, target = self.input.device, self.output.device
        return source.is_monitor or (source.is_virtual and target.is_virtual)

    def stated_latency_ms(self) -> dict[str, float | None]:
        """Latency by part as stated by drivers, bridge and nodes; None where a driver states nothing sensible."""
        engine = self.engine
        stats = engine.statistics()
        inputs = [stream.input_latency_ms for stream in self._streams if stream.input_latency_ms]
        outputs = [stream.output_latency_ms for stream in self._streams if stream.output_latency_ms]
        return {
            "input_device_ms": inputs[0] if inputs else None,
            "clock_bridge_ms": stats.bridge_latency_ms,
            "preset_ms": 1e3 * engine.latency_samples / engine.sample_rate,
            "output_device_ms": outputs[0] if outputs else None,
        }

    def _side(self, query: str | int | None, direction: Direction, wanted_channels: int) -> StreamSide:
        device = self.backend.find(query, direction)
        channels = min(wanted_channels, device.channels(direction))
        return StreamSide(device, channels, self.request.latency_ms)

    def _has_one_clock(self) -> bool:
        source, target = self.input.device, self.output.device
        if source.host_api != target.host_api:
            return False
        if any(api in source.host_api for api in _ONE_CLOCK_APIS):
            return True
        return source.index == target.index and "Core Audio" in source.host_api

    def _choose_rates(self) -> tuple[int, int]:
        """Return (output, input) rates: the wanted one, else 48 kHz where it works, else the device's own."""
        output_rate = self._choose_rate(self.output, "output")
        if self.one_clock:
            return output_rate, output_rate
        return output_rate, self._choose_rate(self.input, "input")

    def _choose_rate(self, side: StreamSide, direction: Direction) -> int:
        wanted = self.request.sample_rate
        own = side.device.default_sample_rate_hz
        candidates = [wanted] if wanted else [own] if "JACK" in side.device.host_api else [PREFERRED_RATE_HZ, own]
        for rate in candidates:
            if self.backend.supports(side, direction, rate):
                return rate
        tried = " or ".join(str(rate) for rate in dict.fromkeys(candidates))
        raise DeviceError(f"'{side.device.name}' takes no {direction} at {tried} Hz with {side.channels} channels")

    def _make_monitor(self) -> Monitor | None:
        if self.request.monitor is None:
            return None
        side = self._side(self.request.monitor, "output", 2)
        return Monitor(self.engine, side, self._choose_rate(side, "output"), self.block)

    def _requests(self) -> list[StreamRequest]:
        engine, block = self.engine, self.block
        if self.one_clock:
            both = StreamRequest(
                engine.output_callback, engine.address, self.output_rate, block, self.input, self.output
            )
            found = [both]
        else:
            found = [
                StreamRequest(engine.output_callback, engine.address, self.output_rate, block, None, self.output),
                StreamRequest(engine.input_callback, engine.address, self.input_rate, block, self.input, None),
            ]
        return [*found, self.monitor.request()] if self.monitor else found

    def _open(self) -> None:
        for request in self._requests():
            self._streams.append(self.backend.open(request))
        for stream in self._streams:
            stream.start()
        self._seen = (0, 0, time.monotonic())

    def _close_streams(self) -> None:
        for stream in self._streams:
            self.hung = not stream.close() or self.hung
        self._streams = []

    def _watch(self) -> None:
        while self._running:
            time.sleep(_WATCH_S)
            self.engine.collect_retired()
            if self._is_lost():
                self.engine.device_losses += 1
                self._recover()

    def _is_lost(self) -> bool:
        if not all(stream.active for stream in self._streams):
            return True
        cells, now_s = self.engine.memory.cells, time.monotonic()
        blocks, input_blocks = int(cells[c.BLOCKS]), int(cells[c.INPUT_BLOCKS])
        input_moves = self.one_clock or input_blocks != self._seen[1]
        if blocks != self._seen[0] and input_moves:
            self._seen = (blocks, input_blocks, now_s)
        return now_s - self._seen[2] > _SILENT_DEVICE_S

    def _recover(self) -> None:
        """Close what is left and try again until the devices are back."""
        self.problem = "a device is gone; waiting for it"
        self._close_streams()
        if self.hung:
            self.problem = "the sound server has ended under the stream and cannot be left; start vcfx again"
        while self._running and not self.hung:
            try:
                self.backend.rescan()
                self._find_again()
                if self.engine.clock_bridge is not None:
                    self.engine.clock_bridge.reset()
                self._open()
            except VcfxError as error:
                self.problem = str(error)
                self._close_streams()
                time.sleep(_RETRY_S)
            else:
                self.problem = ""
                return

    def _find_again(self) -> None:
        """Numbers change when devices come and go; names stay."""
        self.input = replace(self.input, device=self._same(self.input.device, "input"))
        self.output = replace(self.output, device=self._same(self.output.device, "output"))
        if self.monitor is not None:
            side = self.monitor.side
            self.monitor.side = replace(side, device=self._same(side.device, "output"))

    def _same(self, device: AudioDevice, direction: Direction) -> AudioDevice:
        return self.backend.find(device.title, direction)
