"""What must be said of the sound that leaves a graph."""

from __future__ import annotations

from typing import Final

from vcfx.graph.graph import Graph
from vcfx.hosts.neural_voice import NeuralVoice
from vcfx.marking.plan_mark import PlanMark
from vcfx_dsp.node import Node

from .disclosure import MAX_VOICES, Disclosure, SpokenVoice

#: Nodes that disguise who speaks. What merely colours a voice (equaliser, echo, chorus) needs no word.
DISGUISES: Final = ("pitch", "vocoder")
WATERMARK: Final = "watermark"


def disclosure_of(graph: Graph) -> Disclosure:
    """Return what is to be said of a graph whose nodes are prepared, as it is at the moment. Thread: any."""
    nodes = [graph.node(name) for name in graph.node_names()]
    own = next((node for node in nodes if isinstance(node, PlanMark)), None)
    marks = [int(node.parameters["payload"]) for node in nodes if node.kind == WATERMARK and not node.parameters["key"]]
    return Disclosure(
        voices=tuple(dict.fromkeys(_spoken(nodes)))[:MAX_VOICES],
        alterations=tuple(dict.fromkeys(node.kind for node in nodes if node.kind in DISGUISES)),
        mark=marks[-1] if marks else None,
        mark_key=own.private_key if own is not None else "",
    )


def _spoken(nodes: list[Node]) -> list[SpokenVoice]:
    voices = [node.voice for node in nodes if isinstance(node, NeuralVoice)]
    found = []
    for voice in voices:
        if voice is not None and voice.papers is not None:
            papers = voice.papers
            found.append(SpokenVoice(voice.name, papers.voice_id, papers.consent.consent_id, papers.issuer.fingerprint))
        elif voice is not None:
            found.append(SpokenVoice(voice.name))
    return found
