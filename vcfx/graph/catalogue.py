"""Every kind of node that a preset may name: our kernels, and the hosts' effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vcfx.errors import ParameterError, nearest
from vcfx.hosts.neural_voice import NeuralVoice
from vcfx.hosts.pedalboard_effect import PREFIX, effect_class, effect_kinds
from vcfx.hosts.plugins.plugin_node import KIND as PLUGIN
from vcfx.hosts.plugins.plugin_node import plugin_class
from vcfx_dsp import registry
from vcfx_dsp.node import Node


def node_kinds() -> list[str]:
    """Return all kinds, kernels first."""
    return [*registry.NODES, NeuralVoice.kind, PLUGIN, *effect_kinds()]


def node_class(kind: str, also: Sequence[str] = (), given: Mapping[str, object] | None = None) -> type[Node]:
    """Return the class of a kind of node.

    Parameters
    ----------
    kind
        As presets name it.
    also
        Words that might have been meant instead.
    given
        The parameters that it will get; a hosted plugin's class depends on them.

    Raises
    ------
    ParameterError
        If there is none (naming the nearest) or it cannot run live (naming what to use instead).
    """
    if kind in registry.NODES:
        return registry.node_class(kind)
    if kind == NeuralVoice.kind:
        return NeuralVoice
    if kind == PLUGIN:
        return plugin_class(given or {})
    if kind.startswith(PREFIX):
        return effect_class(kind)
    raise ParameterError(f"there is no node '{kind}'{nearest(kind, [*node_kinds(), *also])}")


def create(kind: str, **parameters: object) -> Node:
    """Make a node of `kind` with checked parameters; costs nothing until it is prepared."""
    return node_class(kind, given=parameters)(**parameters)
