"""Put a neural voice in front of a preset's effects, so that nothing behind it hears the unconverted one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from vcfx.errors import PresetError
from vcfx_dsp.parameters import Value

from .model import INPUT, Entry, NodeEntry, ParallelEntry, Preset

KIND: Final = "voice"
#: Around the voice where no preset is given. The gate hears no further ahead than the model does anyway.
BEFORE: Final = (
    NodeEntry("filter", "low_cut", {"type": "highpass", "cutoff_hz": 70.0}),
    NodeEntry("gate", "gate", {"threshold_db": -60.0, "range_db": 40.0, "lookahead_ms": 0.0}),
)
AFTER: Final = (NodeEntry("limiter", "limiter", {"ceiling_db": -1.0}),)


def with_voice(preset: Preset | None, parameters: Mapping[str, Value]) -> Preset:
    """Return a preset that converts the voice first.

    Parameters
    ----------
    preset
        Its effects come after the voice; if it has a voice in its main chain, that one takes the parameters instead.
        None: a plain chain of high-pass, gate, voice and limiter.
    parameters
        Of the node `voice`.

    Raises
    ------
    PresetError
        If no voice is named, neither here nor in the preset.
    """
    own = None if preset is None else _own_voice(preset)
    if own is None and not parameters.get("voice"):
        raise PresetError("no voice is named for what was asked of it; give --voice V or --reference CLIP")
    if preset is None:
        chain: tuple[Entry, ...] = (*BEFORE, NodeEntry(KIND, KIND, parameters), *AFTER)
        return Preset("Voice", "Another voice, and nothing else.", chain=chain)
    if own is not None:
        changed = replace(own, parameters={**own.parameters, **parameters}, bypass=False)
        return replace(preset, chain=tuple(changed if entry is own else entry for entry in preset.chain))
    return _in_front(preset, parameters)


def _in_front(preset: Preset, parameters: Mapping[str, Value]) -> Preset:
    """Lead everything that began at the input through the voice, side roads as well; dry sound under load is out."""
    taken = {entry.id for entry in _entries(preset.chain)}
    taken |= {entry.id for send in preset.sends for entry in _entries(send.chain)}
    name, number = KIND, 1
    while name in taken:
        number += 1
        name = f"{KIND}-{number}"
    sends = tuple(replace(send, source=name) if send.source == INPUT else send for send in preset.sends)
    overload = "conceal" if preset.on_overload == "dry" else preset.on_overload
    chain = (NodeEntry(KIND, name, parameters), *preset.chain)
    return replace(preset, chain=chain, sends=sends, on_overload=overload)


def _own_voice(preset: Preset) -> NodeEntry | None:
    voices = (entry for entry in preset.chain if isinstance(entry, NodeEntry) and entry.kind == KIND)
    return next(voices, None)


def _entries(chain: tuple[Entry, ...]) -> Iterator[Entry]:
    for entry in chain:
        yield entry
        if isinstance(entry, ParallelEntry):
            for branch in entry.branches:
                yield from _entries(branch.chain)
