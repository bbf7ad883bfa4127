"""From a `Preset` to TOML text; what is written reads back as the same preset."""

from __future__ import annotations

from typing import Any

import tomli_w

from vcfx_dsp.parameters import Value

from .model import NO_NOTICE, PARALLEL, SCHEMA_VERSION, BranchEntry, Entry, NodeEntry, Preset, SendEntry


def preset_toml(preset: Preset) -> str:
    """Return a preset as TOML."""
    return tomli_w.dumps(preset_document(preset), multiline_strings=True)


def preset_document(preset: Preset) -> dict[str, Any]:
    """Return a preset as the tables of its file; also what ``--json`` prints."""
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "name": preset.name,
        "description": preset.description,
        "tags": list(preset.tags),
        "engine": {
            "hop_frames": preset.hop_frames,
            "on_overload": preset.on_overload,
            "output_gain_db": _plain(preset.output_gain_db),
        },
    }
    if preset.notice != NO_NOTICE:
        document["engine"]["notice"] = preset.notice
    if preset.chain:
        document["chain"] = _chain(preset.chain)
    if preset.sends:
        document["send"] = [_send(send) for send in preset.sends]
    return document


def _chain(chain: tuple[Entry, ...]) -> list[dict[str, Any]]:
    return [_entry(entry) for entry in chain]


def _entry(entry: Entry) -> dict[str, Any]:
    kind = entry.kind if isinstance(entry, NodeEntry) else PARALLEL
    table: dict[str, Any] = {"node": kind, "id": entry.id}
    if entry.bypass:
        table["bypass"] = True
    if isinstance(entry, NodeEntry):
        return table | {name: _plain(value) for name, value in entry.parameters.items()}
    return table | {"mix_ratio": _plain(entry.mix_ratio), "branch": [_branch(branch) for branch in entry.branches]}


def _branch(branch: BranchEntry) -> dict[str, Any]:
    table: dict[str, Any] = {"gain_db": _plain(branch.gain_db)}
    return table | ({"chain": _chain(branch.chain)} if branch.chain else {})


def _send(send: SendEntry) -> dict[str, Any]:
    table: dict[str, Any] = {"from": send.source, "to": send.target, "gain_db": _plain(send.gain_db)}
    return table | ({"chain": _chain(send.chain)} if send.chain else {})


def _plain(value: Value) -> int | float | str:
    """Whole numbers as people write them: -45, not -45.0."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
