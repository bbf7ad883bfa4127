"""The kernel nodes by name, each imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module

from .errors import ParameterError, nearest
from .node import Node

#: kind -> module and class; one line per node.
NODES: dict[str, str] = {
    "chorus": "vcfx_dsp.nodes.chorus:Chorus",
    "pitch": "vcfx_dsp.nodes.pitch:Pitch",
    "drive": "vcfx_dsp.nodes.drive:Drive",
    "crush": "vcfx_dsp.nodes.crush:Crush",
    "tremolo": "vcfx_dsp.nodes.tremolo:Tremolo",
    "ring_mod": "vcfx_dsp.nodes.ring_mod:RingMod",
    "vocoder": "vcfx_dsp.nodes.vocoder:Vocoder",
    "spectrum": "vcfx_dsp.nodes.spectrum:Spectrum",
    "meter": "vcfx_dsp.nodes.meter:Meter",
    "echo": "vcfx_dsp.nodes.echo:Echo",
    "delay_line": "vcfx_dsp.nodes.delay_line:DelayLine",
    "filter": "vcfx_dsp.nodes.filter:Filter",
    "eq": "vcfx_dsp.nodes.eq:Eq",
    "gate": "vcfx_dsp.nodes.gate:Gate",
    "compressor": "vcfx_dsp.nodes.compressor:Compressor",
    "limiter": "vcfx_dsp.nodes.limiter:Limiter",
    "deesser": "vcfx_dsp.nodes.deesser:Deesser",
    "gain": "vcfx_dsp.nodes.gain:Gain",
    "notice": "vcfx_dsp.nodes.notice:Notice",
    "watermark": "vcfx_dsp.nodes.watermark:Watermark",
}


def node_class(kind: str) -> type[Node]:
    """Return the class of a kind of node.

    Raises
    ------
    ParameterError
        If there is no such kind; names the nearest one.
    """
    if kind not in NODES:
        raise ParameterError(f"there is no node '{kind}'{nearest(kind, NODES)}")
    module, name = NODES[kind].split(":")
    found: type[Node] = getattr(import_module(module), name)
    return found


def create(kind: str, **parameters: object) -> Node:
    """Make a node of `kind` with checked parameters."""
    return node_class(kind)(**parameters)
