"""`vcfx presets`: list, show, check and make presets, and say which nodes they may hold."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
from pathlib import Path
from typing import Final

from vcfx.errors import PresetError, printable
from vcfx.presets import Entry, NodeEntry, Preset, list_presets, load_preset, save_preset, user_folder
from vcfx.presets.model import NO_NOTICE, PARALLEL
from vcfx.presets.writer import preset_document
from vcfx_dsp.parameters import Parameter

from .listing import print_files

NAME_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
EXIT_DAMAGED: Final = 2
MAX_SHOWN: Final = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--json", action="store_true", help="print JSON, for programs")
    actions.add_parser("list", parents=[every], help="list the presets that can be named")
    show = actions.add_parser("show", parents=[every], help="show one preset's chain")
    show.add_argument("preset", metavar="NAME", help="a preset's name or file")
    check = actions.add_parser("check", parents=[every], help="check presets; exit code 2 if one is damaged")
    check.add_argument("presets", metavar="NAME", nargs="+", help="a preset's name or file")
    new = actions.add_parser("new", parents=[every], help="make a preset of your own")
    new.add_argument("name", metavar="NAME", help="small letters, digits, - and _")
    new.add_argument("--from", dest="base", metavar="PRESET", default="plain", help="begin with this one (plain)")
    nodes = actions.add_parser("nodes", parents=[every], help="list the kinds of node, or one kind's parameters")
    nodes.add_argument("kind", metavar="KIND", nargs="?")


def run(options: argparse.Namespace) -> int:
    """Run one sub-command."""
    if options.action == "list":
        return _list(options.json)
    if options.action == "show":
        return _show(load_preset(options.preset), options.json)
    if options.action == "check":
        return _check(options.presets, options.json)
    if options.action == "nodes":
        return _nodes(options.kind, options.json)
    return _new(options.name, options.base, options.json)


def _list(as_json: bool) -> int:
    print_files(list_presets(), "presets", user_folder(), as_json)
    return 0


def _show(preset: Preset, as_json: bool) -> int:
    if as_json:
        print(json.dumps(preset_document(preset), indent=2))
        return 0
    print(f"{preset.name}: {preset.description}")
    if preset.tags:
        print(f"tags: {', '.join(preset.tags)}")
    notice = "" if preset.notice == NO_NOTICE else f"; notice at the start: {preset.notice}"
    print(f"when a node is late: {preset.on_overload}; output {preset.output_gain_db:+g} dB{notice}\n")
    print("\n".join(["input", *_chain_lines(preset.chain, 0), "output"]))
    for send in preset.sends:
        print(f"\nsend from {send.source} to {send.target}, {send.gain_db:+g} dB")
        print("\n".join(_chain_lines(send.chain, 1)))
    return 0


def _chain_lines(chain: tuple[Entry, ...], depth: int) -> list[str]:
    return [line for entry in chain for line in _entry_lines(entry, depth)]


def _entry_lines(entry: Entry, depth: int) -> list[str]:
    indent = "  " * (depth + 1)
    mark = " (bypassed)" if entry.bypass else ""
    if isinstance(entry, NodeEntry):
        label = entry.kind if entry.id == entry.kind else f"{entry.id}: {entry.kind}"
        settings = ", ".join(
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {_short(value)}"
            for name, value in entry.parameters.items()
        )
        return [f"{indent}{label}{mark}  {settings}".rstrip()]
    lines = [f"{indent}{entry.id}{mark}  mix_ratio {entry.mix_ratio:g}"]
    for number, branch in enumerate(entry.branches, start=1):
        lines += [f"{indent}  branch {number}, {branch.gain_db:+g} dB", *_chain_lines(branch.chain, depth + 2)]
    return lines


def _short(text: str) -> str:
    """A plugin's state may fill pages."""
    return text if len(text) <= MAX_SHOWN else f"({len(text)} characters)"


def _nodes(kind: str | None, as_json: bool) -> int:
    from vcfx.graph.catalogue import node_class, node_kinds

    if kind == PARALLEL:
        raise PresetError("'parallel' is no node but branches side by side: mix_ratio, and a [[chain.branch]] for each")
    if kind is None:
        kinds = sorted(node_kinds())
        print(json.dumps(kinds, indent=2) if as_json else "\n".join(kinds))
        return 0
    declared = node_class(kind).PARAMETERS
    if as_json:
        print(json.dumps([_described(parameter) for parameter in declared], indent=2))
        return 0
    width = max((len(parameter.name) for parameter in declared), default=0)
    for parameter in declared:
        numbers = f"{parameter.minimum:g} to {parameter.maximum:g}"
        allowed = " | ".join(parameter.choices) or ("text" if parameter.text else numbers)
        default = parameter.default if isinstance(parameter.default, str) else f"{parameter.default:g}"
        default = default or "empty"
        print(f"{parameter.name:<{width}}  {allowed}, default {default}{'; ' * bool(parameter.doc)}{parameter.doc}")
    return 0


def _described(parameter: Parameter) -> dict[str, object]:
    facts: dict[str, object] = {
        "name": parameter.name,
        "default": parameter.default,
        "live": parameter.live,
        "doc": parameter.doc,
    }
    if parameter.choices:
        return facts | {"choices": list(parameter.choices)}
    if parameter.text:
        return facts | {"text": True}
    return facts | {"minimum": parameter.minimum, "maximum": parameter.maximum}


def _check(presets: list[str], as_json: bool) -> int:
    errors: dict[str, str | None] = {}
    for preset in presets:
        missing: list[str] = []
        try:
            # a file here without .toml is meant as such
            missing = _missing_plugins(load_preset(Path(preset) if Path(preset).is_file() else preset))
            errors[preset] = None
        except PresetError as error:
            errors[preset] = str(error)
        if not as_json:
            print(printable(errors[preset] or "; but ".join([f"{preset}: good", *missing])))
    if as_json:
        print(json.dumps([{"file": preset, "error": error} for preset, error in errors.items()], indent=2))
    return EXIT_DAMAGED if any(errors.values()) else 0


def _missing_plugins(preset: Preset) -> list[str]:
    """Say which hosted plugins are not on this machine; the preset is good all the same."""
    from vcfx.hosts.plugins.plugin_node import KIND, plugin_class

    classes = [plugin_class(entry.parameters) for entry in preset.nodes() if entry.kind == KIND]
    return [found.absence for found in classes if found.description is None]


def _new(name: str, base: str, as_json: bool) -> int:
    if not NAME_PATTERN.fullmatch(name):
        raise PresetError(f"the name is {name!r}; allowed: up to 64 small letters, digits, - and _")
    path = user_folder() / f"{name}.toml"
    if path.exists():
        raise PresetError(f"{path}: is there already; choose another name or remove it first")
    save_preset(dataclasses.replace(load_preset(base), name=name.replace("-", " ").capitalize()), path)
    print(json.dumps({"file": str(path)}) if as_json else f"{path}: made from '{base}'; edit it and run it by its name")
    return 0
