"""From graph to steps: sides, latencies, delays that make branches meet, buffers. Used once, by `RenderPlan`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vcfx_dsp.node import KernelNode, Node, ProcessSpec
from vcfx_dsp.registry import create

from .graph import INPUT, Edge, Graph
from .mix import Mix
from .sides import Side, assign_sides

if TYPE_CHECKING:
    from .plan import PlanSpec

Buffer = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Step:
    """One node with its buffers, named by key."""

    node: Node
    source: str
    target: str


class Schedule:
    """The ordered work of one plan.

    Attributes
    ----------
    arrival, departure
        Latency in samples at a node's input (after alignment) and at its output.
    crossing
        Latency of the way through the worker's rings; 0 if nothing runs there.
    sends, returns
        Names whose output goes to the worker, and comes back from it.
    """

    def __init__(self, graph: Graph, spec: PlanSpec, crossing: int) -> None:
        self._graph, self._spec = graph, spec
        self.order = graph.ordered()
        self.sides = assign_sides(graph, self.order)
        uses_worker = Side.WORKER in self.sides.values()
        self.crossing = crossing if uses_worker else 0
        self.sends = self._crossing_names(Side.BEFORE, Side.WORKER)
        self.returns = self._crossing_names(Side.WORKER, Side.AFTER)
        self.nodes: list[Node] = []
        self.buffers: dict[str, Buffer] = {}
        self.output_of: dict[str, str] = {}
        self.arrival: dict[str, int] = {INPUT: 0}
        self.departure: dict[str, int] = {INPUT: 0}
        self.steps: dict[Side, list[Step]] = {side: [] for side in Side}

    def build(self) -> None:
        """Prepare every node and lay out buffers and steps."""
        self._add_buffer(INPUT, Side.BEFORE)
        self.output_of[INPUT] = INPUT
        self._lay_worker_inputs()
        for name in self.order:
            if name != INPUT:
                self._schedule(name)

    def kernel_steps(self, side: Side) -> list[tuple[int, int, int, int]]:
        """Return (kernel, state, input buffer, output buffer) addresses for a callback side."""
        table = []
        for step in self.steps[side]:
            assert isinstance(step.node, KernelNode)
            source, target = self.buffers[step.source].ctypes.data, self.buffers[step.target].ctypes.data
            table.append((step.node.kernel.address, step.node.state.address, source, target))
        return table

    def callback_address(self, name: str) -> int:
        """Address of the buffer that holds the output of a node of the callback."""
        return int(self.buffers[self.output_of[name]].ctypes.data)

    def send_buffer(self, name: str) -> str:
        """Key of the worker's copy of a callback node's output."""
        return f"{name}>worker"

    def return_buffer(self, name: str) -> str:
        """Key of the callback's copy of a worker node's output."""
        return f"{name}>callback"

    def _crossing_names(self, source: Side, target: Side) -> list[str]:
        return [
            name
            for name in self.order
            if self.sides[name] is source
            and any(self.sides[edge.target] is target for edge in self._graph.edges_from(name))
        ]

    def _lay_worker_inputs(self) -> None:
        for name in self.sends:
            self._add_buffer(self.send_buffer(name), Side.WORKER)
        for name in self.returns:
            self._add_buffer(self.return_buffer(name), Side.AFTER)

    def _add_buffer(self, key: str, side: Side) -> str:
        self.buffers[key] = np.zeros(self._spec.channels * self._frames(side), np.float32)
        return key

    def _frames(self, side: Side) -> int:
        return self._spec.hop if side is Side.WORKER else self._spec.block

    def _schedule(self, name: str) -> None:
        side = self.sides[name]
        edges = self._graph.edges_into(name)
        self.arrival[name] = max(self._latency_over(edge, side) for edge in edges)
        gathered = self._gather(name, side, edges)
        if self._graph.is_junction(name):
            self.output_of[name], self.departure[name] = gathered, self.arrival[name]
            return
        node = self._prepare(self._graph.node(name), side)
        target = gathered if self._may_overwrite(node, gathered, edges, side) else self._add_buffer(name, side)
        self.steps[side].append(Step(node, gathered, target))
        self.output_of[name] = target
        self.departure[name] = self.arrival[name] + node.latency_samples

    def _latency_over(self, edge: Edge, side: Side) -> int:
        returns = self.sides[edge.source] is Side.WORKER and side is Side.AFTER
        return self.departure[edge.source] + (self.crossing if returns else 0)

    def _gather(self, name: str, side: Side, edges: list[Edge]) -> str:
        """Lead all edges, delayed so that they meet, into one buffer; returns its key."""
        keys = [self._aligned(edge, side, self.arrival[name]) for edge in edges]
        if len(edges) == 1 and edges[0].gain == 1.0:
            return keys[0]
        mix = Mix([int(self.buffers[key].ctypes.data) for key in keys], [edge.gain for edge in edges])
        self._prepare(mix, side)
        target = self._add_buffer(f"{name}<mix", side)
        self.steps[side].append(Step(mix, keys[0], target))
        return target

    def _aligned(self, edge: Edge, side: Side, arrival: int) -> str:
        key = self._source_key(edge.source, side)
        missing = arrival - self._latency_over(edge, side)
        if missing == 0:
            return key
        delay = self._prepare(create("delay_line", delay_samples=missing), side)
        target = self._add_buffer(f"{edge.source}>{edge.target}<delay", side)
        self.steps[side].append(Step(delay, key, target))
        return target

    def _source_key(self, source: str, side: Side) -> str:
        source_side = self.sides[source]
        if source_side is Side.BEFORE and side is Side.WORKER:
            return self.send_buffer(source)
        if source_side is Side.WORKER and side is Side.AFTER:
            return self.return_buffer(source)
        return self.output_of[source]

    def _prepare(self, node: Node, side: Side) -> Node:
        spec = self._spec
        node.prepare(
            ProcessSpec(spec.sample_rate, self._frames(side), spec.channels, not spec.asynchronous, spec.on_overload)
        )
        self.nodes.append(node)
        return node

    def _may_overwrite(self, node: Node, key: str, edges: list[Edge], side: Side) -> bool:
        """Whether the node may work in place: its input is nobody else's."""
        if not node.allows_inplace:
            return False
        if key.endswith(("<mix", "<delay")):
            return True
        return self._is_sole_reader(edges[0].source, side)

    def _is_sole_reader(self, source: str, side: Side) -> bool:
        """Whether the buffer behind `source` is read once; a junction of one edge lends its source's buffer."""
        if len(self._graph.edges_from(source)) != 1 or self.sides[source] is not side:
            return False
        edges = self._graph.edges_into(source)
        if self._graph.is_junction(source) and len(edges) == 1:
            return self._is_sole_reader(edges[0].source, side)
        return True
