"""A hosted plugin as a node: parameters by name in presets, latency stated, failures kept from the sound."""

from __future__ import annotations

import base64
import binascii
import math
import weakref
from collections.abc import Mapping
from typing import ClassVar

from vcfx.errors import ParameterError, PluginError
from vcfx_dsp.node import Block, Node, ProcessSpec
from vcfx_dsp.parameters import Parameter

from .description import PluginDescription
from .inprocess import InProcessPlugin
from .inventory import known_plugin
from .isolated import IsolatedPlugin
from .link import PluginTask

KIND = "plugin"
OWN = (
    Parameter("plugin", "", text=True, live=False, doc="the plugin's name (see `vcfx plugins list`) or file"),
    Parameter(
        "when_missing",
        "refuse",
        choices=("refuse", "pass"),
        live=False,
        doc="if it is not on this machine: refuse to run, or pass the sound through unchanged",
    ),
    Parameter(
        "isolated",
        "yes",
        choices=("yes", "no"),
        live=False,
        doc="run it in a process of its own, so that it can take nothing down",
    ),
    Parameter(
        "latency_hops",
        0.0,
        0.0,
        8.0,
        live=False,
        integer=True,
        doc="blocks of delay that give a slow plugin time; only in a process of its own",
    ),
    Parameter("tail_ms", 1_000.0, 0.0, 60_000.0, live=False, doc="how long it sounds on when the input is silent"),
    Parameter("raw_state", "", text=True, live=False, opaque=True, doc="the plugin's own state, base64"),
)


class PluginNode(Node):
    """A VST3 or AU plugin, run in hops of constant length. Its own parameters stand beside those declared here.

    Mono and stereo are adapted: a mono plugin has a copy for each channel, a stereo one hears a lone channel on both
    sides. Latency: what the plugin reports, plus `latency_hops` blocks. Blocks have no frames or at least three:
    pedalboard takes a stereo block of one or two for something else.
    """

    kind: ClassVar[str] = KIND
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = OWN
    #: What is known of the plugin; None: it is missing, for the reason `absence`.
    description: ClassVar[PluginDescription | None] = None
    absence: ClassVar[str] = "names no plugin; give it as plugin = NAME"
    #: Key in a preset -> the plugin's own name of the parameter.
    names: ClassVar[Mapping[str, str]] = {}
    allows_inplace = True

    def __init__(self, **parameters: object) -> None:
        super().__init__(**parameters)
        self._explicit = {name for name in parameters if name in self.names}
        self._state = self._decoded_state()
        if self._parameters["isolated"] == "no" and self._parameters["latency_hops"]:
            raise ParameterError(f"{self.kind}: latency_hops is of use only with isolated = 'yes'")
        self._host: IsolatedPlugin | InProcessPlugin | None = None
        self._end: weakref.finalize[..., PluginNode] | None = None

    @property
    def latency_samples(self) -> int:
        """As the plugin reports it, plus `latency_hops` blocks."""
        return 0 if self._host is None else self._host.latency_samples

    @property
    def tail_samples(self) -> int:
        """Latency and `tail_ms`."""
        return self.latency_samples + math.ceil(1e-3 * float(self._parameters["tail_ms"]) * self.spec.sample_rate)

    @property
    def problem(self) -> str:
        """That it is missing, or has failed."""
        if self.description is None:
            return f"{self.absence}; the sound passes unchanged"
        return "" if self._host is None else self._host.problem

    @property
    def host(self) -> IsolatedPlugin | InProcessPlugin | None:
        """What runs the plugin; None before `prepare` and where it is missing. Thread: control."""
        return self._host

    def prepare(self, spec: ProcessSpec) -> None:
        """Load the plugin.

        Raises
        ------
        PluginError
            If it is missing and the preset does not say ``when_missing = "pass"``, or cannot be loaded.
        """
        if self._spec == spec and self._host is not None:
            self.reset()
            return
        self.release()
        self._spec = spec
        if self.description is None:
            if self._parameters["when_missing"] == "refuse":
                raise PluginError(f'{self.absence} (when_missing = "pass" would let the sound through unchanged)')
            return
        values = {self.names[key]: value for key, value in self._parameters.items() if key in self._explicit}
        task = PluginTask(self.description, spec, self._state, values)
        try:
            self._host = self._loaded(task)
        except PluginError as error:
            raise PluginError(f"plugin '{self.description.name}' cannot be loaded: {error}") from None
        self._end = weakref.finalize(self, self._host.close)

    def process(self, block_in: Block, block_out: Block) -> None:
        """Run one hop. Thread: worker."""
        if self._host is not None:
            self._host.process(block_in, block_out)
        elif block_out is not block_in:
            block_out[:] = block_in

    def reset(self) -> None:
        """Forget the sound heard."""
        if self._host is not None:
            self._host.reset()

    def update(self, **parameters: object) -> None:
        """Change the plugin's parameters; heard from the next hop on. Thread: control."""
        self._parameters = self._merged(parameters)
        values = {self.names[key]: self._parameters[key] for key in parameters if key in self.names}
        self._explicit |= {key for key in parameters if key in self.names}
        if self._host is not None and values:
            self._host.set(values)

    def release(self) -> None:
        """End the plugin's process."""
        if self._end is not None:
            self._end()
        self._host = self._end = None

    def _loaded(self, task: PluginTask) -> IsolatedPlugin | InProcessPlugin:
        if self._parameters["isolated"] == "yes":
            return IsolatedPlugin(task, int(self._parameters["latency_hops"]))
        return InProcessPlugin(task)

    def _decoded_state(self) -> bytes:
        text = "".join(str(self._parameters["raw_state"]).split())
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            raise ParameterError(f"{self.kind}: raw_state is {text[:20]!r}...; allowed: base64") from None


def plugin_class(given: Mapping[str, object]) -> type[PluginNode]:
    """Return the node class for the plugin that a preset's table names, with that plugin's parameters.

    Of a plugin that is not on this machine, whatever the table sets is kept as it is.
    """
    query = given.get("plugin")
    if not isinstance(query, str) or not query:
        return PluginNode
    found = known_plugin(query)
    if isinstance(found, str):
        return _class_of_missing(given, found)
    declared = tuple(parameter.declared() for parameter in found.parameters)
    members = {
        "PARAMETERS": (*OWN, *declared),
        "description": found,
        "names": {parameter.key: parameter.name for parameter in found.parameters},
        "__doc__": PluginNode.__doc__,
    }
    return type("PluginNode", (PluginNode,), members)


def _class_of_missing(given: Mapping[str, object], absence: str) -> type[PluginNode]:
    taken = {"node", "id", "bypass", *(parameter.name for parameter in OWN)}
    kept = tuple(_kept(name, value) for name, value in given.items() if name not in taken)
    names = {parameter.name: parameter.name for parameter in kept}
    return type("PluginNode", (PluginNode,), {"PARAMETERS": (*OWN, *kept), "absence": absence, "names": names})


def _kept(name: str, value: object) -> Parameter:
    return Parameter(name, 0.0) if isinstance(value, int | float) else Parameter(name, "", text=True)


def encoded_state(state: bytes) -> str:
    """Return a plugin's state as presets keep it: base64 in lines."""
    return base64.encodebytes(state).decode("ascii").strip()
