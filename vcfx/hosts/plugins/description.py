"""What is known of a plugin without loading it again: names, parameters, channels, latency, or what is wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self

from vcfx_dsp.parameters import Parameter, Value

#: Some plugins offer what belongs to the host as if it were a control.
HOST_OWNED: Final = ("buffer_size_frames", "sample_rate_frames", "latency_frames")
#: Keys of a plugin's table in a preset that are not the plugin's own; a parameter of that name gets a prefix.
RESERVED: Final = ("node", "id", "bypass", "plugin", "when_missing", "isolated", "latency_hops", "tail_ms", "raw_state")
PREFIX: Final = "plugin_"
OFF_ON: Final = ("off", "on")
MAX_CHOICES: Final = 200


@dataclass(frozen=True, slots=True)
class PluginParameter:
    """One control of a plugin.

    Parameters
    ----------
    name
        As presets write it, with the unit that the plugin states as the ending: ``threshold_db``.
    title, unit
        As the plugin shows them.
    kind
        ``number`` from `minimum` to `maximum`, ``choice`` of one of `choices`, or ``switch``, which is off or on.
    default
        Its value in a freshly loaded plugin.
    """

    name: str
    title: str
    unit: str
    kind: Literal["number", "choice", "switch"]
    default: Value
    minimum: float = 0.0
    maximum: float = 1.0
    choices: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name in a preset, where some words are taken."""
        return PREFIX + self.name if self.name in RESERVED else self.name

    def declared(self) -> Parameter:
        """Return the parameter as a node declares it."""
        if self.kind == "number":
            return Parameter(self.key, self.default, self.minimum, self.maximum, doc=self.title)
        if len(self.choices) > MAX_CHOICES:
            return Parameter(self.key, self.default, text=True, doc=self.title)
        return Parameter(self.key, self.default, choices=self.choices, doc=self.title)


@dataclass(frozen=True, slots=True)
class PluginDescription:
    """One plugin of a bundle; with a `problem`, a bundle that cannot be used.

    Parameters
    ----------
    name
        What presets call it.
    path
        The bundle that holds it.
    channels
        How many channels it takes: (1,), (2,) or (1, 2).
    latency_samples
        As it reports at 48 kHz.
    load_s
        How long it took to load, in seconds.
    problem
        Why it was put aside; empty if it is good.
    """

    name: str
    path: str
    format: str = "VST3"
    manufacturer: str = ""
    version: str = ""
    category: str = ""
    identifier: str = ""
    channels: tuple[int, ...] = ()
    latency_samples: int = 0
    load_s: float = 0.0
    parameters: tuple[PluginParameter, ...] = ()
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain tables."""
        return asdict(self)

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Self:
        """Read back what `as_json` gave; raises TypeError or KeyError where it is something else."""
        parameters = [
            PluginParameter(**(item | {"choices": tuple(item["choices"])})) for item in table.get("parameters", [])
        ]
        channels = tuple(int(count) for count in table.get("channels", []))
        return cls(**(table | {"parameters": tuple(parameters), "channels": channels}))
