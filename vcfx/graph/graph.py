"""`Graph`: what people edit. Nodes by name, edges with gains, checked before anything is allocated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vcfx.errors import GraphError, nearest
from vcfx_dsp.node import Node

INPUT, OUTPUT = "input", "output"
MIN_GAIN_DB, MAX_GAIN_DB = -120.0, 36.0


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection; `gain` is linear, 0 to 63.1 (36 dB)."""

    source: str
    target: str
    gain: float = 1.0


class Graph:
    """Nodes between ``"input"`` and ``"output"``; several edges into one node are summed.

    Thread: control. A node object belongs to one graph and, once compiled, to one plan.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Node | None] = {INPUT: None, OUTPUT: None}
        self._edges: dict[tuple[str, str], Edge] = {}

    @classmethod
    def of_chain(cls, nodes: Sequence[Node]) -> Graph:
        """Return input -> nodes in order -> output; names are the kinds, numbered when they repeat."""
        graph = cls()
        graph.append(INPUT, nodes, OUTPUT)
        return graph

    def add(self, node: Node, name: str | None = None) -> str:
        """Add a node and return its name (its kind, numbered if taken, when none is given)."""
        chosen = name or self._free_name(node.kind)
        if chosen in self._nodes:
            raise GraphError(f"there are two nodes named '{chosen}'; names must differ")
        if any(node is present for present in self._nodes.values()):
            raise GraphError(f"node '{chosen}' is in the graph already; make a second one")
        self._nodes[chosen] = node
        return chosen

    def add_junction(self, name: str = "junction") -> str:
        """Add a point where edges meet and part; costs one sum and no delay."""
        chosen = self._free_name(name)
        self._nodes[chosen] = None
        return chosen

    def connect(self, source: str, target: str, gain: float = 1.0) -> None:
        """Add an edge; a second one between the same two adds its gain to the first."""
        for name in (source, target):
            if name not in self._nodes:
                raise GraphError(f"there is no node '{name}'{nearest(name, self._nodes)}")
        if target == INPUT:
            raise GraphError(f"'{source}' is connected to the graph's input, which takes nothing")
        if source == OUTPUT:
            raise GraphError(f"the graph's output is connected to '{target}', but nothing comes after it")
        limit = 10.0 ** (MAX_GAIN_DB / 20.0)
        if not 0.0 <= gain <= limit:
            raise GraphError(f"the gain from '{source}' to '{target}' is {gain!r}; allowed: 0 to {limit:.1f}")
        present = self._edges.get((source, target))
        total = gain + (present.gain if present else 0.0)
        self._edges[source, target] = Edge(source, target, total)

    def append(self, after: str, nodes: Sequence[Node], before: str | None = None) -> str:
        """Add nodes one after the other behind `after`, and lead the last to `before` if that is given.

        Returns
        -------
        str
            The name of the last node, or `after` if there are none.
        """
        last = after
        for node in nodes:
            name = self.add(node)
            self.connect(last, name)
            last = name
        if before is not None:
            self.connect(last, before)
        return last

    def insert_before(self, target: str, node: Node, name: str | None = None) -> str:
        """Put a node in front of `target`: whatever led there now leads to the node. Returns its name."""
        chosen = self.add(node, name)
        for edge in self.edges_into(target):
            del self._edges[edge.source, edge.target]
            self.connect(edge.source, chosen, edge.gain)
        self.connect(chosen, target)
        return chosen

    def parallel(
        self, after: str, branches: Sequence[tuple[Sequence[Node], float]], mix_ratio: float | None = None
    ) -> str:
        """Split behind `after` into branches (nodes, linear gain) and join them again.

        Parameters
        ----------
        mix_ratio
            Dry/wet: 0 gives only what went in, 1 only the branches; None leaves the dry path out. Branches meet
            in time: the plan delays the shorter ones.

        Returns
        -------
        str
            The junction where they meet.
        """
        if mix_ratio is not None and not 0.0 <= mix_ratio <= 1.0:
            raise GraphError(f"mix_ratio is {mix_ratio!r}; allowed: 0 to 1")
        wet = 1.0 if mix_ratio is None else mix_ratio
        join = self.add_junction("join")
        for nodes, gain in branches:
            self.connect(self.append(after, nodes), join, gain * wet)
        if mix_ratio is not None:
            self.connect(after, join, 1.0 - mix_ratio)
        return join

    def node(self, name: str) -> Node:
        """Return a node by name."""
        found = self._nodes.get(name)
        if found is None:
            raise GraphError(f"there is no node '{name}'{nearest(name, self.node_names())}")
        return found

    def node_names(self) -> list[str]:
        """Names of the real nodes, without input, output and junctions."""
        return [name for name, node in self._nodes.items() if node is not None]

    def edges_into(self, target: str) -> list[Edge]:
        """Edges that end in `target`, in the order in which they were made."""
        return [edge for edge in self._edges.values() if edge.target == target]

    def edges_from(self, source: str) -> list[Edge]:
        """Edges that begin in `source`."""
        return [edge for edge in self._edges.values() if edge.source == source]

    def is_junction(self, name: str) -> bool:
        """Whether nothing but a sum happens there; the output is one."""
        return self._nodes[name] is None and name != INPUT

    def ordered(self) -> list[str]:
        """Return every name from input to output so that sources come before targets.

        Raises
        ------
        GraphError
            For a cycle (it is spelled out), a node without input, a node whose sound goes nowhere.
        """
        done: list[str] = []
        visiting: list[str] = []
        self._visit(OUTPUT, done, visiting)
        if INPUT not in done:
            raise GraphError("the graph's output is not connected to its input")
        lost = [name for name in self._nodes if name not in done]
        if lost:
            raise GraphError(f"the sound of '{lost[0]}' reaches no output; connect it or remove it")
        return done

    def _visit(self, name: str, done: list[str], visiting: list[str]) -> None:
        if name in done:
            return
        if name in visiting:
            cycle = [*visiting[visiting.index(name) :], name]
            raise GraphError(f"the graph has a cycle: {' <- '.join(cycle)}; feedback belongs inside a node")
        sources = [edge.source for edge in self.edges_into(name)]
        if not sources and name != INPUT:
            raise GraphError(f"'{name}' has no input; connect something to it")
        visiting.append(name)
        for source in sources:
            self._visit(source, done, visiting)
        visiting.pop()
        done.append(name)

    def _free_name(self, kind: str) -> str:
        return next(name for name in _numbered(kind) if name not in self._nodes)


def _numbered(kind: str) -> Iterator[str]:
    yield kind
    number = 2
    while True:
        yield f"{kind}-{number}"
        number += 1
