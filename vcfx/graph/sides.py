"""Which node runs where: in the audio callback before the worker, on the worker, or in the callback after it."""

from __future__ import annotations

from enum import Enum

from vcfx_dsp.node import KernelNode

from .graph import INPUT, OUTPUT, Graph


class Side(Enum):
    """Where a node runs."""

    BEFORE = "callback, before the worker"
    WORKER = "worker"
    AFTER = "callback, after the worker"


def assign_sides(graph: Graph, order: list[str]) -> dict[str, Side]:
    """Put every leading and trailing run of kernel nodes in the callback, the rest on the worker.

    Parameters
    ----------
    order
        `graph.ordered()`.
    """
    host = {name: _is_host(graph, name) for name in order}
    host_before: dict[str, bool] = {}
    for name in order:
        sources = [edge.source for edge in graph.edges_into(name)]
        host_before[name] = any(host[source] or host_before[source] for source in sources)
    host_after: dict[str, bool] = {}
    for name in reversed(order):
        targets = [edge.target for edge in graph.edges_from(name)]
        host_after[name] = any(host[target] or host_after[target] for target in targets)
    return {name: _side(host[name], host_before[name], host_after[name]) for name in order}


def _is_host(graph: Graph, name: str) -> bool:
    if name in (INPUT, OUTPUT) or graph.is_junction(name):
        return False
    return not isinstance(graph.node(name), KernelNode)


def _side(host: bool, host_before: bool, host_after: bool) -> Side:
    if host or (host_before and host_after):
        return Side.WORKER
    return Side.AFTER if host_before else Side.BEFORE
