"""`vcfx voices`: list the voices that can be spoken with, and show one."""

from __future__ import annotations

import argparse
import json
from typing import Any

from vcfx.errors import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--json", action="store_true", help="print JSON, for programs")
    actions.add_parser("list", parents=[every], help="list the voices that can be named")
    show = actions.add_parser("show", parents=[every], help="show one voice")
    show.add_argument("voice", metavar="NAME", help="a voice's name or file")


def run(options: argparse.Namespace) -> int:
    """Run one sub-command."""
    return _list(options.json) if options.action == "list" else _show(options.voice, options.json)


def _list(as_json: bool) -> int:
    from vcfx_models.voice_library import list_voices, user_voices_folder

    found = list_voices()
    if as_json:
        print(json.dumps([_listed(info) for info in found], indent=2))
        return 0
    for line in _table(found):
        print(printable(line))
    if not found:
        print("No voice is installed; recordings do as well: vcfx convert IN --reference CLIP")
    print(f"\nYour own voices belong in {user_voices_folder()}")
    return 0


def _listed(info: Any) -> dict[str, object]:
    facts: dict[str, object] = {"name": info.name, "origin": info.origin, "file": str(info.path)}
    return facts | ({"damaged": info.problem} if info.voice is None else described(info.voice))


def described(voice: Any) -> dict[str, object]:
    """Return what a person may want to know of a voice."""
    return {"title": voice.name, "median_hz": round(voice.median_hz, 1), **voice.metadata}


def _table(found: list[Any]) -> list[str]:
    """Return one line for each voice, columns in line; what is wrong with a damaged one follows its name."""
    good = [[info.name, *_columns(info.voice)] for info in found if info.voice is not None]
    widths = [max(map(len, column)) for column in zip(*good, strict=True)] or [0]
    widths[0] = max([widths[0], *(len(info.name) for info in found)])
    lines = []
    for info in found:
        cells = [info.name, *([f"damaged: {info.problem}"] if info.voice is None else _columns(info.voice))]
        padded = [cell.ljust(width) for cell, width in zip(cells[:-1], widths, strict=False)]
        lines.append("  ".join([*padded, cells[-1]]).rstrip() + ("  (yours)" if info.origin == "user" else ""))
    return lines


def _columns(voice: Any) -> list[str]:
    """Return sex, usual pitch, licence and source; those that are not known are empty."""
    papers = voice.metadata
    return [papers.get("gender", ""), f"{voice.median_hz:3.0f} Hz", papers.get("licence", ""), papers.get("source", "")]


def _show(name: str, as_json: bool) -> int:
    from vcfx_models.voice_library import peek_voice

    voice = peek_voice(name)
    spread_semitones = 12.0 * voice.f0_log_spread / 0.693147
    facts = described(voice) | {"pitch_spread_semitones": round(spread_semitones, 2)}
    if as_json:
        print(json.dumps(facts, indent=2))
        return 0
    width = max(map(len, facts))
    for key, value in facts.items():
        print(printable(f"{key:<{width}}  {value}"))
    return 0
