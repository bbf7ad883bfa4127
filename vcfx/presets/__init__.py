"""Presets: the file format, its checks, and where presets are found."""

from __future__ import annotations

from .library import PresetInfo, list_presets, load_preset, preset_root, save_preset, user_folder
from .model import BranchEntry, Entry, NodeEntry, ParallelEntry, Preset, SendEntry
from .reader import read_preset
from .writer import preset_toml

__all__ = [
    "BranchEntry",
    "Entry",
    "NodeEntry",
    "ParallelEntry",
    "Preset",
    "PresetInfo",
    "SendEntry",
    "list_presets",
    "load_preset",
    "preset_root",
    "preset_toml",
    "read_preset",
    "save_preset",
    "user_folder",
]
