"""`Engine`: owns the cells that the audio thread reads, the plans it walks and the worker beside it."""

from __future__ import annotations

import gc
import math
import threading
import time
from collections.abc import Callable
from types import TracebackType

from vcfx.graph import bridge as bridge_fields
from vcfx.graph import walker
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
from .swap import prime_plan, read_cell, swap_cell
from .worker import Worker

_SWAP_TIMEOUT_S = 3.0
_BLOCK_TIMEOUT_S = 0.05
#: How long before its latency a plan hears the past while it is warmed up, so that filters have settled.
_SETTLE_S = 0.025
_PRIMING_ROUNDS = 8
#: What `switch` takes.
SWITCHES = {"unmuted": c.UNMUTED, "talking": c.TALKING, "bypassed": c.BYPASSED}


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

    #: Told of each plan before anybody can hear it.
    before_post: Callable[[RenderPlan], None] | None = None

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
        self._switches = {"unmuted": True, "talking": True, "bypassed": False}
        self.on_retired: Callable[[RenderPlan], None] = RenderPlan.release
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
        self.preset, self._current = preset, self._first_plan(preset)
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
    def blocks(self) -> int:
        """Number of blocks rendered so far."""
        return int(self.memory.cells[c.BLOCKS])

    @property
    def plan(self) -> RenderPlan:
        """The plan posted last."""
        return self._current

    @property
    def plans(self) -> list[RenderPlan]:
        """Every plan that is heard, waits to be, or was just now."""
        return list(self._plans.values())

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
            self._release(self._take_out(address))
        gc.unfreeze()

    def set_preset(self, preset: Preset) -> None:
        """Change to another preset: the new plan is warmed up on live sound and crossfaded in.

        Returns once the plan is posted; the fade begins within a block plus the new plan's latency.

        Raises
        ------
        VcfxError
            If the preset cannot be built; the present one goes on.
        """
        self.post(self.prepare(preset), preset)

    def prepare(self, preset: Preset) -> RenderPlan:
        """Build and warm up a plan without posting it; until then it costs nobody any time. Thread: any.

        Raises
        ------
        VcfxError
            If the preset cannot be built.
        """
        spec = PlanSpec(self.sample_rate, self.channels, self.block, preset.hop_frames, True, preset.on_overload)
        return RenderPlan(self._make_graph(preset), spec)

    def prime(self, plan: RenderPlan) -> None:
        """Let a prepared plan hear the last moments, so that its latency need not pass before it is heard itself.

        For a plan with host nodes this does nothing: their time is the worker's. Post it at once afterwards.
        """
        plan.table[walker.PRIMED_TO] = -1
        reach = plan.latency_samples + int(_SETTLE_S * self.sample_rate)
        if plan.bridge is not None or 2 * reach > self.memory.cells[c.HISTORY_FRAMES]:
            return
        end = read_cell(self.memory.cell_address(c.HEARD))
        start = max(0, end - reach)
        for _ in range(_PRIMING_ROUNDS):
            prime_plan(plan.address, self.address, start, end, self.block)
            start, end = end, read_cell(self.memory.cell_address(c.HEARD))
            if end - start <= self.block:
                break
        plan.table[walker.PRIMED_TO] = start

    def post(self, plan: RenderPlan, preset: Preset) -> int:
        """Hand a prepared plan to the audio thread; one that was posted before and not taken yet is dropped.

        Returns
        -------
        int
            A ticket for `changed_in`.
        """
        if self.before_post is not None:
            self.before_post(plan)
        with self._lock:
            self._take_in(plan)
            ticket = int(self.memory.cells[c.CHANGES]) + 1
            unused = swap_cell(self.memory.cell_address(c.PENDING), plan.address)
            self._current, self.preset = plan, preset
        self._release(self._take_out(unused))
        self.collect_retired()
        return ticket

    def changed_in(self, ticket: int) -> int | None:
        """Return the number of the block from which a posted plan has been heard, or None before."""
        if read_cell(self.memory.cell_address(c.CHANGES)) < ticket:
            return None
        return int(self.memory.cells[c.CHANGE_BLOCK])

    def is_changing(self) -> bool:
        """Whether a posted plan has yet to take the other's place."""
        self.collect_retired()
        busy = (c.PENDING, c.FADING, c.RETIRED)
        return any(read_cell(self.memory.cell_address(cell)) != 0 for cell in busy)

    def collect_retired(self) -> None:
        """Hand the plan that the audio thread has retired to `on_retired`, so that the next change can begin."""
        with self._lock:
            retired = swap_cell(self.memory.cell_address(c.RETIRED), 0)
        self._release(self._take_out(retired))

    def wait_until_swapped(self, timeout_s: float = _SWAP_TIMEOUT_S) -> bool:
        """Wait until the posted plan is the only one that sounds; False if that took too long."""
        limit_s = time.monotonic() + timeout_s
        while time.monotonic() < limit_s:
            if not self.is_changing():
                return True
            time.sleep(0.002)
        return False

    def set_parameters(self, node: str, **parameters: object) -> int | None:
        """Change live parameters of a node of the present preset; they take effect between two blocks.

        Returns
        -------
        int or None
            A ticket for `messages.applied_in`; None for a host node, which changes with its next hop, and where the
            values are what they were.
        """
        found: Node = self._current.node(node)
        if not isinstance(found, KernelNode):
            found.update(**parameters)
            return None
        writes = found.writes(**parameters)
        return self.messages.post(writes) if writes else None

    def switch(self, ramp_s: float = c.GAIN_RAMP_S, **switches: bool) -> int:
        """Turn ``unmuted``, ``talking`` or ``bypassed`` on or off, together, between two blocks; `ramp_s` for silence.

        Returns
        -------
        int
            A ticket for `messages.applied_in`.
        """
        gauges = self.memory.gauges
        values = {c.VOICE_RAMP_S: ramp_s} | {SWITCHES[name]: float(on) for name, on in switches.items()}
        ticket = self.messages.post([(gauges.ctypes.data + 8 * gauge, value) for gauge, value in values.items()])
        self._switches |= switches
        if self.blocks == 0:  # nothing has been heard that would have to fade
            gauges[c.VOICE_GAIN] = float(self._switches["unmuted"] and self._switches["talking"])
        return ticket

    @property
    def muted(self) -> bool:
        """Whether the output is silent by a person's wish."""
        return not self._switches["unmuted"]

    @muted.setter
    def muted(self, on: bool) -> None:
        self.switch(unmuted=not on)

    @property
    def bypassed(self) -> bool:
        """Whether the unconverted voice is heard by a person's wish."""
        return self._switches["bypassed"]

    @bypassed.setter
    def bypassed(self, on: bool) -> None:
        self.switch(bypassed=on)

    @property
    def talking(self) -> bool:
        """Whether the talk key, if there is one, lets the voice through."""
        return self._switches["talking"]

    def set_cell(self, cell: int, address: int) -> None:
        """Publish an address (tap, monitor) to the audio thread; 0 detaches."""
        publish(self.memory.cell_address(cell), address)

    def wait_for_block(self) -> None:
        """Wait until the audio thread has seen what was published by now, or shows no sign of running."""
        before, limit_s = int(self.memory.cells[c.BLOCKS]), time.monotonic() + _BLOCK_TIMEOUT_S
        while int(self.memory.cells[c.BLOCKS]) == before and time.monotonic() < limit_s:
            time.sleep(0.001)

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
        self.collect_retired()
        prime_plan(self._current.address, self.address, 0, 0, self.block)

    def _first_plan(self, preset: Preset) -> RenderPlan:
        plan = self.prepare(preset)
        self._take_in(plan)
        self.memory.cells[c.CURRENT] = plan.address
        return plan

    def _take_in(self, plan: RenderPlan) -> None:
        self._plans[plan.address] = plan
        self._apply_wait(plan)
        self.worker.add(plan.worker)

    def _apply_wait(self, plan: RenderPlan) -> None:
        if plan.bridge is not None:
            plan.bridge.header[bridge_fields.WAIT_NS] = self._freewheel_wait_ns

    def _take_out(self, address: int) -> RenderPlan | None:
        plan = self._plans.pop(address, None)
        if plan is not None:
            self.worker.remove(plan.worker)
            self._retired_counts = [a + b for a, b in zip(self._retired_counts, _counts(plan), strict=True)]
        return plan

    def _release(self, plan: RenderPlan | None) -> None:
        if plan is not None:
            self.on_retired(plan)

    def _worker_counts(self) -> list[int]:
        totals = self._retired_counts
        for plan in self.plans:
            totals = [a + b for a, b in zip(totals, _counts(plan), strict=True)]
        return totals


def _counts(plan: RenderPlan) -> list[int]:
    if plan.bridge is None or plan.worker is None:
        return [0, 0, 0, 0]
    fields = (bridge_fields.LATE_BLOCKS, bridge_fields.CONCEALED_FRAMES, bridge_fields.DROPPED_FRAMES)
    return [*(int(plan.bridge.header[field]) for field in fields), plan.worker.nonfinite_hops]
