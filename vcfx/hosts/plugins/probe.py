"""Describes one bundle's plugins, in a child process that may hang or crash: ``python -m ...probe BUNDLE``.

Each plugin is one line of JSON on the standard output; what plugins print themselves goes nowhere.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from .description import HOST_OWNED, OFF_ON, PluginDescription, PluginParameter
from .family import die_with_parent, speak_privately
from .hosted import PROBE_FRAMES, PROBE_RATE_HZ, load_instance, plugin_names, taken_channels


def main() -> int:
    """Describe the bundle that the command line names; a second argument is the parent's process id."""
    die_with_parent(int(sys.argv[2]))
    speaker = speak_privately()
    path = sys.argv[1]
    try:
        names = plugin_names(path)
    except Exception as error:  # foreign code: whatever it raises is what is wrong with it
        _say(speaker, PluginDescription(Path(path).stem, path, problem=_sentence(error)))
        return 0
    for name in names:
        _say(speaker, PluginDescription(name, path, problem="was being loaded"))
        try:
            _say(speaker, describe(path, name))
        except Exception as error:
            _say(speaker, PluginDescription(name, path, problem=_sentence(error)))
    speaker.flush()
    os._exit(0)  # some plugins crash when they are taken down; all that matters has been said


def describe(path: str, name: str) -> PluginDescription:
    """Load one plugin and return what is known of it then."""
    start_s = time.perf_counter()
    plugin = load_instance(path, name)
    load_s = time.perf_counter() - start_s
    if not plugin.is_effect:
        return PluginDescription(name, path, problem="is an instrument, which hears nothing")
    parameters = tuple(_parameter(key, found) for key, found in _controls(plugin))
    channels = taken_channels(plugin, PROBE_RATE_HZ, PROBE_FRAMES)
    return PluginDescription(
        name,
        path,
        "AU" if type(plugin).__name__.startswith("AudioUnit") else "VST3",
        plugin.manufacturer_name,
        plugin.version,
        plugin.category,
        plugin.identifier,
        channels,
        plugin.reported_latency_samples,
        round(load_s, 3),
        parameters,
        "" if channels else "takes neither one channel nor two",
    )


def _controls(plugin: Any) -> list[tuple[str, Any]]:
    return [(key, found) for key, found in plugin.parameters.items() if key not in HOST_OWNED]


def _parameter(key: str, found: Any) -> PluginParameter:
    value, unit = getattr(found, "string_value", ""), (found.label or "").strip()
    if found.type is float:
        low, high = float(found.min_value), float(found.max_value)
        number = min(max(_number(value, low), low), high)
        return PluginParameter(key, found.name, unit, "number", number, low, high)
    if found.type is bool:
        return PluginParameter(key, found.name, unit, "switch", OFF_ON[found.raw_value >= 0.5], choices=OFF_ON)
    choices = tuple(dict.fromkeys(str(choice) for choice in found.valid_values))
    return PluginParameter(key, found.name, unit, "choice", str(value), choices=choices)


def _number(text: str, fallback: float) -> float:
    from pedalboard._pedalboard import strip_common_float_suffixes

    try:
        return float(strip_common_float_suffixes(text))
    except ValueError:
        return fallback


def _say(speaker: Any, description: PluginDescription) -> None:
    speaker.write(json.dumps(description.as_json()) + "\n")
    speaker.flush()


def _sentence(error: Exception) -> str:
    return "cannot be loaded: " + " ".join(f"{type(error).__name__}: {error}".split())[:300]


if __name__ == "__main__":
    sys.exit(main())
