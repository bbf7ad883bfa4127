"""`Engine`: owns the cells that the audio thread reads, the plans it walks and the worker beside it."""

from __future__ import annotations

import gc
import math
import threading
import time
from collections.abc import Callable
from types import TracebackType

from vcfx.graph import bridge as bridge_fields
from vcfx.graph.build import build_graph
from vcfx.graph.graph import Graph
from vcfx.graph.plan import PlanSpec, RenderPlan
from vcfx.presets import Preset
from vcfx_dsp.clock_bridge import ClockBridge
from vcfx_dsp.node import KernelNode, Node

from . import cells as c
from .callback import INPUT_CALLBACK, OUTPUT_CALLBACK
from .messages import MessageQueue, publish
from .statistics import EngineStatistics, Levels, decibels, percentiles_of_histogram
from .swap import read_cell, swap_cell
from .worker import Worker

_SWAP_TIMEOUT_S = 3.0


class Engine:
    """The running voice: give its callbacks and its address to a device stream, and post presets to it.

    Parameters
    ----------
    preset
        What to start with.
    sample_rate
        Hz, of the output device; the graph runs at this rate.
    block
        Frames per callback, 1 to 8192.
    channels
        Rows of the graph: 1 for a voice.
    input_channels, output_channels
        Of the devices; a mono graph is played on all output channels.
    input_rate, input_block
        Of an input device with a clock of its own; None where one device (or one server) has both sides.
    make_graph
        How a preset becomes a graph; a measurement puts its probe in here.

    Thread: control, unless a method says otherwise.
    """

    def __init__(
        self,
        preset: Preset,
        sample_rate: int,
        block: int,
        channels: int = 1,
        input_channels: int = 1,
        output_channels: int = 2,
        input_rate: int | None = None,
        input_block: int | None = None,
        make_graph: Callable[[Preset], Graph] = build_graph,
    ) -> None:
        self.sample_rate, self.block, self.channels = sample_rate, block, channels
        self.memory = c.EngineCells(sample_rate, channels, max(block, input_block or 0), output_channels)
        self.worker = Worker()
        self.messages = MessageQueue()
        self.clock_bridge: ClockBridge | None = None
        self.device_losses = 0
        self._make_graph = make_graph
        self._lock = threading.Lock()
        self._plans: dict[int, RenderPlan] = {}
        self._retired_counts = [0, 0, 0, 0]
        self._freewheel_wait_ns = 0
        fields = {
            c.INPUT_CHANNELS: input_channels,
            c.OUTPUT_CHANNELS: output_channels,
            c.MESSAGES: self.messages.address,
            c.WAKE_FD: self.worker.wake_fd,
        }
        if input_rate is not None:
            self.clock_bridge = ClockBridge(input_rate, sample_rate, channels, input_block or block, block)
            fields[c.CLOCK_BRIDGE] = self.clock_bridge.address
        for cell, value in fields.items():
            self.memory.cells[cell] = value
        self.preset = preset
        self._current = self._make_plan(preset)
        self.memory.cells[c.CURRENT] = self._current.address
        self.output_callback, self.input_callback = OUTPUT_CALLBACK.address, INPUT_CALLBACK.address
        self._compile_what_control_uses()

    def __enter__(self) -> Engine:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> int:
        """The callbacks' user data."""
        return self.memory.address

    @property
    def plan(self) -> RenderPlan:
        """The plan posted last."""
        return self._current

    @property
    def latency_samples(self) -> int:
        """Stated latency of the present preset, without devices and clock bridge."""
        return self._current.latency_samples

    def start(self) -> None:
        """Start the worker; call before the device streams start."""
        gc.collect()
        gc.freeze()  # what is loaded by now stays; the collector then has little to walk while sound runs
        self.worker.start()

    def close(self) -> None:
        """Stop the worker and let go of all plans. The device streams must have stopped before."""
        self.worker.close()
        for address in list(self._plans):
            self._drop(address)
        gc.unfreeze()

    def set_preset(self, preset: Preset) -> None:
        """Change to another preset: the new plan is warmed up on live sound and crossfaded in.

        Returns once the plan is posted; the fade begins within a block plus the new plan's latency.

        Raises
        ------
        VcfxError
            If the preset cannot be built; the present one goes on.
        """
        plan = self._make_plan(preset)
        with self._lock:
            self._collect()
            unused = swap_cell(self.memory.cell_address(c.PENDING), plan.address)
            self._drop(unused)
            self._current, self.preset = plan, preset

    def collect_retired(self) -> None:
        """Bury the plan that the audio thread has retired, so that the next change can begin."""
        with self._lock:
            self._collect()

    def _collect(self) -> None:
        retired = swap_cell(self.memory.cell_address(c.RETIRED), 0)
        self._drop(retired)

    def wait_until_swapped(self, timeout_s: float = _SWAP_TIMEOUT_S) -> bool:
        """Wait until the posted plan is the only one that sounds; False if that took too long."""
        limit_s = time.monotonic() + timeout_s
        while time.monotonic() < limit_s:
            self.collect_retired()
            busy = (c.PENDING, c.FADING, c.RETIRED)
            if all(read_cell(self.memory.cell_address(cell)) == 0 for cell in busy):
                return True
            time.sleep(0.002)
        return False

    def set_parameters(self, node: str, **parameters: object) -> int | None:
        """Change live parameters of a node of the present preset; they take effect between two blocks.

        Returns
        -------
        int or None
            A ticket for `messages.applied_in`; None for a host node, which changes with its next hop.
        """
        found: Node = self._current.node(node)
        if not isinstance(found, KernelNode):
            found.update(**parameters)
            return None
        return self.messages.post(found.writes(**parameters))

    @property
    def muted(self) -> bool:
        """Whether the output is silent by a person's wish."""
        return bool(self.memory.cells[c.MUTE])

    @muted.setter
    def muted(self, on: bool) -> None:
        publish(self.memory.cell_address(c.MUTE), int(on))

    @property
    def bypassed(self) -> bool:
        """Whether the unconverted voice is heard by a person's wish."""
        return bool(self.memory.cells[c.BYPASS])

    @bypassed.setter
    def bypassed(self, on: bool) -> None:
        publish(self.memory.cell_address(c.BYPASS), int(on))

    def set_cell(self, cell: int, address: int) -> None:
        """Publish an address (tap, monitor) to the audio thread; 0 detaches."""
        publish(self.memory.cell_address(cell), address)

    def wait_for_worker(self, timeout_s: float) -> None:
        """Let the callback wait for the worker, for servers that run faster than time (JACK freewheel); 0 undoes it.

        Never for live use: a callback must not wait.
        """
        self._freewheel_wait_ns = int(timeout_s * 1e9)
        for plan in self._plans.values():
            self._apply_wait(plan)

    def levels(self) -> Levels:
        """Present levels of input and output."""
        gauges = self.memory.gauges
        return Levels(
            decibels(float(gauges[c.INPUT_PEAK])),
            decibels(math.sqrt(max(0.0, float(gauges[c.INPUT_POWER])))),
            decibels(float(gauges[c.OUTPUT_PEAK])),
            decibels(math.sqrt(max(0.0, float(gauges[c.OUTPUT_POWER])))),
        )

    def statistics(self) -> EngineStatistics:
        """All counters; reading them disturbs nobody."""
        cells = self.memory.cells
        late, concealed, dropped, nonfinite_hops = self._worker_counts()
        clock = self.clock_bridge.stats if self.clock_bridge is not None else None
        return EngineStatistics(
            blocks=int(cells[c.BLOCKS]),
            frames=int(cells[c.FRAMES]),
            late_blocks=int(cells[c.LATE_BLOCKS]),
            concealed_blocks=late,
            concealed_frames=concealed,
            dropped_frames=dropped,
            input_underflows=int(cells[c.INPUT_UNDERFLOWS]),
            input_overflows=int(cells[c.INPUT_OVERFLOWS]),
            output_underflows=int(cells[c.OUTPUT_UNDERFLOWS]),
            output_overflows=int(cells[c.OUTPUT_OVERFLOWS]),
            nonfinite_samples=int(cells[c.NONFINITE_SAMPLES]),
            nonfinite_hops=nonfinite_hops,
            worker_errors=self.worker.errors,
            device_losses=self.device_losses,
            drift_ppm=clock.drift_ppm if clock else None,
            bridge_latency_ms=clock.latency_ms if clock else None,
            bridge_target_ms=clock.target_ms if clock else None,
            clock_underruns=clock.underruns if clock else None,
            clock_overflows=clock.overflows if clock else None,
            clock_dropped_frames=clock.dropped_frames if clock else None,
            callback=percentiles_of_histogram(self.memory.histogram, int(cells[c.LONGEST_NS])),
            worker=self.worker.percentiles(),
        )

    def reset_times(self) -> None:
        """Start the time histograms anew (a benchmark's warm-up is over)."""
        self.memory.histogram[:] = 0
        self.memory.cells[c.LONGEST_NS] = 0

    def _compile_what_control_uses(self) -> None:
        """Compile before sound runs, not at the first key press."""
        self.set_cell(c.MONITOR_BRIDGE, 0)
        self._collect()
        read_cell(self.memory.cell_address(c.PENDING))

    def _make_plan(self, preset: Preset) -> RenderPlan:
        spec = PlanSpec(self.sample_rate, self.channels, self.block, preset.hop_frames, True, preset.on_overload)
        plan = RenderPlan(self._make_graph(preset), spec)
        self._plans[plan.address] = plan
        self._apply_wait(plan)
        self.worker.add(plan.worker)
        return plan

    def _apply_wait(self, plan: RenderPlan) -> None:
        if plan.bridge is not None:
            plan.bridge.header[bridge_fields.WAIT_NS] = self._freewheel_wait_ns

    def _drop(self, address: int) -> None:
        plan = self._plans.pop(address, None)
        if plan is None:
            return
        self.worker.remove(plan.worker)
        self._retired_counts = [a + b for a, b in zip(self._retired_counts, _counts(plan), strict=True)]
        plan.release()

    def _worker_counts(self) -> list[int]:
        totals = self._retired_counts
        for plan in list(self._plans.values()):
            totals = [a + b for a, b in zip(totals, _counts(plan), strict=True)]
        return totals


def _counts(plan: RenderPlan) -> list[int]:
    if plan.bridge is None or plan.worker is None:
        return [0, 0, 0, 0]
    fields = (bridge_fields.LATE_BLOCKS, bridge_fields.CONCEALED_FRAMES, bridge_fields.DROPPED_FRAMES)
    return [*(int(plan.bridge.header[field]) for field in fields), plan.worker.nonfinite_hops]
