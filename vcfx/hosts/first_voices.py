"""The voices of a graph that hear the speaker as they are: nothing before them moves the pitch."""

from __future__ import annotations

from typing import Final

from vcfx.graph.graph import INPUT, Graph

from .neural_voice import NeuralVoice

#: Behind these, what is heard says little of whoever speaks.
MOVES_PITCH: Final = ("voice", "pitch", "pitch_shift", "vocoder", "ring_mod", "plugin")


def first_voices(graph: Graph) -> list[NeuralVoice]:
    """Return the voices with no other voice, no pitch shifter and no plugin in front of them. Thread: control."""
    moved: dict[str, bool] = {INPUT: False}
    found = []
    for name in graph.ordered():
        if name == INPUT:
            continue
        is_moved = any(moved[edge.source] for edge in graph.edges_into(name))
        node = graph.node(name) if name in graph.node_names() else None
        if isinstance(node, NeuralVoice) and not is_moved:
            found.append(node)
        moved[name] = is_moved or (node is not None and node.kind in MOVES_PITCH)
    return found
