"""From a preset to a graph of fresh nodes."""

from __future__ import annotations

from typing import Final

from vcfx.presets.model import NO_NOTICE, NodeEntry, ParallelEntry, Preset, SendEntry

from .catalogue import create
from .graph import INPUT, OUTPUT, Graph

#: The notice's name in the graph; no id in a preset can be this.
NOTICE: Final = "@notice"


def build_graph(preset: Preset) -> Graph:
    """Return a new graph with new nodes; nothing is allocated or compiled yet.

    Raises
    ------
    VcfxError
        For a parameter or a connection that is not allowed.
    """
    return _Builder(preset).build()


def _linear(gain_db: float) -> float:
    return 0.0 if gain_db <= -120.0 else 10.0 ** (gain_db / 20.0)


class _Builder:
    """Keeps, for each id, where its sound enters and where it leaves; a bypassed entry is a mere point."""

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        self._graph = Graph()
        self._enters: dict[str, str] = {"output": OUTPUT}
        self._leaves: dict[str, str] = {"input": INPUT}

    def build(self) -> Graph:
        """Main chain first, then the side roads between its points."""
        last = self._append_chain(INPUT, self._preset.chain)
        if self._preset.output_gain_db:
            last = self._graph.append(last, [create("gain", gain_db=self._preset.output_gain_db)])
        self._graph.connect(last, OUTPUT)
        for send in self._preset.sends:
            self._add_send(send)
        if self._preset.notice != NO_NOTICE:  # in front of the output, so that no side road goes around it
            self._graph.insert_before(OUTPUT, create("notice", sound=self._preset.notice), NOTICE)
        return self._graph

    def _append_chain(self, after: str, chain: tuple[NodeEntry | ParallelEntry, ...]) -> str:
        last = after
        for entry in chain:
            last = self._append_parallel(last, entry) if isinstance(entry, ParallelEntry) else self._append(last, entry)
        return last

    def _append(self, after: str, entry: NodeEntry) -> str:
        if entry.bypass:
            name = self._graph.add_junction(entry.id)
        else:
            name = self._graph.add(create(entry.kind, **entry.parameters), entry.id)
        self._graph.connect(after, name)
        self._enters[entry.id] = self._leaves[entry.id] = name
        return name

    def _append_parallel(self, after: str, entry: ParallelEntry) -> str:
        graph = self._graph
        split, join = graph.add_junction(entry.id), graph.add_junction(f"{entry.id}.join")
        graph.connect(after, split)
        self._enters[entry.id], self._leaves[entry.id] = split, join
        wet = 0.0 if entry.bypass else entry.mix_ratio
        for branch in () if entry.bypass else entry.branches:
            graph.connect(self._append_chain(split, branch.chain), join, wet * _linear(branch.gain_db))
        if wet < 1.0:
            graph.connect(split, join, 1.0 - wet)
        return join

    def _add_send(self, send: SendEntry) -> None:
        last = self._append_chain(self._leaves[send.source], send.chain)
        self._graph.connect(last, self._enters[send.target], _linear(send.gain_db))
