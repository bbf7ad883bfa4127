"""`RenderPlan`: a graph frozen into a table of compiled steps, with buffers bound and branches aligned in time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vcfx.hosts.first_voices import first_voices
from vcfx.marking.plan_mark import MARK, PlanMark, add_mark
from vcfx_dsp.node import Block, Node

from . import walker
from .bridge import DRY_DELAY, POLICIES, Bridge, worker_latency
from .graph import INPUT, OUTPUT, Graph
from .schedule import Schedule
from .sides import Side
from .worker_section import WorkerSection

DEFAULT_HOP = 128


@dataclass(frozen=True, slots=True)
class PlanSpec:
    """The terms of a plan.

    Parameters
    ----------
    sample_rate, channels
        Of the whole graph.
    block
        Frames per callback; also the most that one call renders.
    hop
        Frames per step of the worker, unless a node prefers another hop. Part of the sound (effects may work per
        hop), so it belongs to the preset and is the same live and for files.
    asynchronous
        Whether the worker is a thread of its own (live) or runs inside `render` (files).
    on_overload
        ``conceal``, ``silence`` or ``dry``: what is heard while the worker is late.
    """

    sample_rate: int
    channels: int
    block: int
    hop: int = DEFAULT_HOP
    asynchronous: bool = False
    on_overload: str = "conceal"


def agreed_hop(graph: Graph, spec: PlanSpec) -> int:
    """Return the longest hop that a node prefers at the plan's rate, or else the plan's own."""
    wishes = [graph.node(name).preferred_hop(spec.sample_rate) for name in graph.node_names()]
    return max((wish for wish in wishes if wish is not None), default=spec.hop)


class RenderPlan:
    """What sound runs through. Made and dropped by the control thread, walked by the audio thread.

    Whatever graph it is made of: what speaks with another voice leaves with the mark.
    """

    def __init__(self, graph: Graph, spec: PlanSpec) -> None:
        add_mark(graph)
        #: The voices that hear the speaker as they are.
        self.first_voices = first_voices(graph)
        for voice in self.first_voices:
            voice.hears_speaker = True
        self.spec = spec = replace(spec, hop=agreed_hop(graph, spec))
        self.graph = graph
        self._schedule = Schedule(graph, spec, worker_latency(spec.hop, spec.block, spec.asynchronous))
        self._schedule.build()
        for node in self._schedule.nodes:
            if isinstance(node, PlanMark):
                node.count_from(self._schedule.arrival[MARK])
        self.bridge = self._make_bridge()
        self.worker = self._make_worker()
        self.table = self._make_table()

    @property
    def address(self) -> int:
        """Address of the table, for the audio thread."""
        return int(self.table.ctypes.data)

    @property
    def latency_samples(self) -> int:
        """Delay from input to output, worst path, worker included."""
        return self._schedule.arrival[OUTPUT]

    @property
    def tail_samples(self) -> int:
        """Frames after the input's end until the output is silent; an upper bound over all paths."""
        return self.latency_samples + sum(n.tail_samples - n.latency_samples for n in self._schedule.nodes)

    def node(self, name: str) -> Node:
        """Return a node of this plan by name."""
        return self.graph.node(name)

    def node_latencies(self) -> dict[str, int]:
        """Stated latency of each node in samples, by name."""
        return {name: self.graph.node(name).latency_samples for name in self.graph.node_names()}

    def problems(self) -> list[str]:
        """What is wrong with its nodes at the moment, one sentence each. Thread: any."""
        return [node.problem for node in self._schedule.nodes if node.problem]

    def render(self, block_in: Block, block_out: Block) -> None:
        """Render one block synchronously (files, tests); at most ``spec.block`` frames. Thread: control."""
        frames = block_in.shape[1]
        samples = self.spec.channels * frames
        buffers = self._schedule.buffers
        buffers[INPUT][:samples] = block_in.ravel()
        walker.run_before(self.address, frames)
        if self.worker is not None:
            self.worker.work()
        walker.run_after(self.address, frames)
        block_out[:] = self._output[:samples].reshape(block_in.shape)

    def reset(self) -> None:
        """Forget all signal history. Thread: control, while nothing runs the plan."""
        for node in self._schedule.nodes:
            node.reset()
        if self.bridge is not None and self.worker is not None:
            self.bridge.reset()
            self.worker.done = self.worker.nonfinite_hops = 0

    def release(self) -> None:
        """Let the nodes give back what they hold. Thread: control, after the plan was retired."""
        for node in self._schedule.nodes:
            node.release()

    @property
    def _output(self) -> npt.NDArray[np.float32]:
        return self._schedule.buffers[self._schedule.output_of[OUTPUT]]

    def _make_bridge(self) -> Bridge | None:
        schedule, spec = self._schedule, self.spec
        if not schedule.sends:
            return None
        rows = (len(schedule.sends) * spec.channels, len(schedule.returns) * spec.channels)
        latency = schedule.crossing
        bridge = Bridge(spec.sample_rate, *rows, spec.hop, spec.block, latency, POLICIES[spec.on_overload])
        inner = max(schedule.departure[name] for name in schedule.returns)
        bridge.header[DRY_DELAY] = inner - min(schedule.departure[name] for name in schedule.sends)
        return bridge

    def _make_worker(self) -> WorkerSection | None:
        if self.bridge is None:
            return None
        return WorkerSection(self.bridge, self._schedule, self.spec)

    def _make_table(self) -> npt.NDArray[np.int64]:
        schedule = self._schedule
        steps = {side: schedule.kernel_steps(side) for side in (Side.BEFORE, Side.AFTER)}
        sends = [schedule.callback_address(name) for name in schedule.sends]
        returns = [schedule.buffers[schedule.return_buffer(name)].ctypes.data for name in schedule.returns]
        body = [*(n for step in steps[Side.BEFORE] + steps[Side.AFTER] for n in step), *sends, *returns]
        table = np.zeros(walker.HEADER_SIZE + len(body), np.int64)
        table[walker.HEADER_SIZE :] = body
        first = int(table.ctypes.data) + 8 * walker.HEADER_SIZE
        before, after = len(steps[Side.BEFORE]), len(steps[Side.AFTER])
        lists = first + 8 * walker.STEP_SIZE * (before + after)
        table[: walker.HEADER_SIZE] = [
            before,
            first,
            after,
            first + 8 * walker.STEP_SIZE * before,
            self.spec.channels,
            self.spec.block,
            schedule.buffers[INPUT].ctypes.data,
            self._output.ctypes.data,
            self.bridge.address if self.bridge is not None else 0,
            len(sends),
            lists,
            len(returns),
            lists + 8 * len(sends),
            self.latency_samples,
            -1,
        ]
        return table
