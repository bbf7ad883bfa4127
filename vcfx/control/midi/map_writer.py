"""From a `MidiMap` to TOML text; what is written reads back as the same map."""

from __future__ import annotations

from typing import Any, Final

import tomli_w

from vcfx.control.wire import message_to_json

from .midi_map import SCHEMA_VERSION, Binding, MidiMap
from .unfit import default_action

_PLAIN_KEYS: Final = ("number", "last", "bank", "low", "high", "pickup")
_DEFAULTS: Final = {"channel": 0, "bits": 7, "curve": "linear", "on_light": 127, "off_light": 0}


def map_toml(midi_map: MidiMap) -> str:
    """Return a map as TOML."""
    return tomli_w.dumps(map_document(midi_map))


def map_document(midi_map: MidiMap) -> dict[str, Any]:
    """Return a map as the tables of its file; also what ``--json`` prints."""
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "name": midi_map.name,
        "description": midi_map.description,
        "channel": midi_map.channel,
        "pickup": midi_map.pickup,
        "lights": midi_map.lights,
    }
    if midi_map.presets:
        document["presets"] = list(midi_map.presets)
    if midi_map.bindings:
        document["binding"] = [_binding(binding) for binding in midi_map.bindings]
    return document


def _binding(binding: Binding) -> dict[str, Any]:
    table: dict[str, Any] = {"on": binding.on}
    given = {key: getattr(binding, key) for key in _PLAIN_KEYS}
    table |= {key: _plain(value) for key, value in given.items() if value is not None}
    others = {key: getattr(binding, key) for key in _DEFAULTS}
    table |= {key: value for key, value in others.items() if value != _DEFAULTS[key]}
    if binding.action != default_action(binding.to):
        table["action"] = binding.action
    if binding.to.message is None:
        return table | {"to": str(binding.to)}
    fields = message_to_json(binding.to.message)
    return table | {"message": {key: value for key, value in fields.items() if value is not None}}


def _plain(value: Any) -> Any:
    """Whole numbers as people write them: -45, not -45.0."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
