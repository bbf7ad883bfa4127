"""Puts a plugin into a preset."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from vcfx.errors import PluginError
from vcfx.hosts.plugins.description import PluginDescription
from vcfx.hosts.plugins.plugin_node import KIND, plugin_class
from vcfx.presets import Entry, NodeEntry, Preset, user_folder
from vcfx.presets.library import preset_root
from vcfx_dsp.parameters import Value, check_all
from vcfx_models.data_folder import with_home

LIMITER = "limiter"


def target_of(preset: str) -> Path:
    """Return the file that a changed preset belongs in: the one it came from, or the user's copy of one of vcfx."""
    if not (preset.endswith(".toml") or any(separator in preset for separator in ("/", "\\"))):
        return user_folder() / f"{preset}.toml"
    path = with_home(Path(preset))
    is_ours = path.resolve().parent == Path(str(preset_root())).resolve()
    return user_folder() / path.name if is_ours else path


def with_plugin(preset: Preset, plugin: PluginDescription, query: str, assignments: Sequence[str]) -> Preset:
    """Return the preset with a plugin in front of the main chain's last limiter, or at its end.

    Parameters
    ----------
    preset, plugin
        What is put where.
    query
        How the preset is to name the plugin.
    assignments
        Parameters, each as KEY=VALUE.

    Raises
    ------
    VcfxError
        For an unknown parameter or a value that is not allowed.
    """
    named = {"plugin": plugin.name if query != plugin.path else query}
    given = named | dict(_assignment(text) for text in assignments)
    checked = check_all(plugin_class(named).PARAMETERS, given, plugin.name)
    entry = NodeEntry(KIND, _free_id(preset, plugin.name), {name: checked[name] for name in given})
    chain = list(preset.chain)
    chain.insert(_place(chain), entry)
    return dataclasses.replace(preset, chain=tuple(chain))


def _assignment(text: str) -> tuple[str, Value]:
    key, separator, value = text.partition("=")
    if not separator:
        raise PluginError(f"--set is {text!r}; allowed: KEY=VALUE, such as threshold_db=-20")
    try:
        return key.strip(), float(value)
    except ValueError:
        return key.strip(), value.strip()


def _place(chain: Sequence[Entry]) -> int:
    limiters = [index for index, entry in enumerate(chain) if isinstance(entry, NodeEntry) and entry.kind == LIMITER]
    return limiters[-1] if limiters else len(chain)


def _free_id(preset: Preset, name: str) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48] or KIND
    taken = {entry.id for entry in preset.nodes()} | {entry.id for entry in preset.chain} | {"input", "output"}
    number = 1
    while (candidate := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return candidate
