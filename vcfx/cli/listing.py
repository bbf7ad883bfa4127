"""Lists of named TOML files (presets, MIDI maps) as people and programs read them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vcfx.errors import printable

if TYPE_CHECKING:
    from vcfx.control.midi.map_library import MapInfo
    from vcfx.presets import PresetInfo


def print_files(found: Sequence[PresetInfo | MapInfo], what: str, folder: Path, as_json: bool) -> None:
    """Print what a library has found and, for people, where their own `what` belong."""
    if as_json:
        print(json.dumps([dataclasses.asdict(info) for info in found], indent=2))
        return
    width = max((len(info.name) for info in found), default=0)
    for info in found:
        mark = " (yours)" if info.origin == "user" else ""
        print(printable(f"{info.name:<{width}}  {'damaged: ' if info.damaged else ''}{info.description}{mark}"))
    print(f"\nYour own {what} belong in {folder}")
