"""A live session that measures its own round trip."""

from __future__ import annotations

from vcfx.graph.build import build_graph
from vcfx.graph.graph import OUTPUT, Graph
from vcfx.presets import Preset

from .probe import Probe, RoundTrip, find_round_trip
from .session import LiveSession


def graph_with_probe(preset: Preset) -> Graph:
    """Return the preset's graph with a probe behind it, which plays the bursts and hears what came back."""
    graph = build_graph(preset)
    graph.insert_before(OUTPUT, Probe(), "probe")
    return graph


def probe_of(session: LiveSession) -> Probe:
    """Return the probe of a session made with `graph_with_probe`."""
    node = session.engine.plan.node("probe")
    assert isinstance(node, Probe)
    return node


def measured(session: LiveSession, probe: Probe) -> RoundTrip:
    """Evaluate what the probe has heard."""
    return find_round_trip(probe.recorded(), session.engine.sample_rate)
