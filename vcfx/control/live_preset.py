"""Changes to a preset as a value: one parameter, one bypass; the engine is not asked."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from vcfx.errors import ControlError, nearest
from vcfx.graph.catalogue import node_class
from vcfx.presets.model import BranchEntry, Entry, NodeEntry, ParallelEntry, Preset
from vcfx.presets.voice_chain import KIND as VOICE_KIND
from vcfx_dsp.parameters import Parameter, Value

_NAME: Final = re.compile(r"\w[\w -]{0,59}")


def declared_parameters(entry: NodeEntry) -> tuple[Parameter, ...]:
    """Return what an entry's node declares; a hosted plugin's depend on the plugin."""
    return node_class(entry.kind, given=entry.parameters).PARAMETERS


def full_parameters(entry: NodeEntry) -> dict[str, Value]:
    """Return every parameter of an entry, defaults included."""
    return {parameter.name: parameter.default for parameter in declared_parameters(entry)} | dict(entry.parameters)


def entries(chain: tuple[Entry, ...]) -> list[Entry]:
    """Return all entries of a chain, sections and what is in them."""
    found: list[Entry] = []
    for entry in chain:
        found.append(entry)
        if isinstance(entry, ParallelEntry):
            for branch in entry.branches:
                found += entries(branch.chain)
    return found


def all_entries(preset: Preset) -> list[Entry]:
    """Return all entries of a preset, those of side roads last."""
    return entries(preset.chain) + [entry for send in preset.sends for entry in entries(send.chain)]


def entry_of(preset: Preset, name: str) -> Entry:
    """Return an entry by its id.

    Raises
    ------
    ControlError
        Naming the nearest id there is.
    """
    by_id = {entry.id: entry for entry in all_entries(preset)}
    if name not in by_id:
        raise ControlError(f"the preset '{preset.name}' has no node '{name}'{nearest(name, by_id)}")
    return by_id[name]


def voice_entry(preset: Preset) -> NodeEntry | None:
    """Return the first voice node, if there is one."""
    return next((entry for entry in preset.nodes() if entry.kind == VOICE_KIND), None)


def with_parameter(preset: Preset, node: str, parameter: str, value: Value) -> Preset:
    """Return the preset with one parameter of one node set to a checked value.

    Raises
    ------
    VcfxError
        If there is no such node or parameter, or the value is not allowed.
    """
    entry = entry_of(preset, node)
    if not isinstance(entry, NodeEntry):
        raise ControlError(f"'{node}' is a parallel section; its nodes have parameters, it has none")
    declared = {known.name: known for known in declared_parameters(entry)}
    if parameter not in declared:
        raise ControlError(f"'{node}' has no parameter '{parameter}'{nearest(parameter, declared)}")
    checked = declared[parameter].check(value, node)

    def change(found: Entry) -> Entry:
        if isinstance(found, NodeEntry) and found.id == node:
            return replace(found, parameters={**found.parameters, parameter: checked})
        return found

    return _mapped(preset, change)


def with_bypass(preset: Preset, name: str, on: bool | None) -> Preset:
    """Return the preset with a node or section left out or taken in; None toggles."""
    entry_of(preset, name)

    def change(found: Entry) -> Entry:
        if found.id != name:
            return found
        return replace(found, bypass=not found.bypass if on is None else on)

    return _mapped(preset, change)


def same_sound(one: Preset, other: Preset) -> bool:
    """Whether two presets sound the same: a parameter at its default is as good as one that is not given."""
    return _filled(one) == _filled(other)


def checked_name(name: str) -> str:
    """Return the file name, without ending, under which a preset is kept.

    Raises
    ------
    ControlError
        For a name that is empty, long, or holds more than letters, digits, spaces, - and _.
    """
    if not _NAME.fullmatch(name):
        raise ControlError(f"a preset cannot be kept as '{name}'; allowed: 1 to 60 letters, digits, spaces, - and _")
    return name.strip().replace(" ", "-").lower()


def check_keepable(preset: Preset) -> None:
    """Refuse a preset whose voice is gone when the program ends."""
    for entry in preset.nodes():
        voice = str(entry.parameters.get("voice", "")) if entry.kind == VOICE_KIND else ""
        if voice and Path(tempfile.gettempdir()) in Path(voice).parents:
            raise ControlError("the voice was made from recordings for this run only; keep the preset with another one")


def _filled(preset: Preset) -> Preset:
    def change(found: Entry) -> Entry:
        return replace(found, parameters=full_parameters(found)) if isinstance(found, NodeEntry) else found

    return _mapped(preset, change)


def _mapped(preset: Preset, change: Callable[[Entry], Entry]) -> Preset:
    sends = tuple(replace(send, chain=_mapped_chain(send.chain, change)) for send in preset.sends)
    return replace(preset, chain=_mapped_chain(preset.chain, change), sends=sends)


def _mapped_chain(chain: tuple[Entry, ...], change: Callable[[Entry], Entry]) -> tuple[Entry, ...]:
    return tuple(_mapped_entry(entry, change) for entry in chain)


def _mapped_entry(entry: Entry, change: Callable[[Entry], Entry]) -> Entry:
    if isinstance(entry, ParallelEntry):
        branches = tuple(BranchEntry(_mapped_chain(b.chain, change), b.gain_db) for b in entry.branches)
        entry = replace(entry, branches=branches)
    return change(entry)
