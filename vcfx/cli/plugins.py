"""`vcfx plugins`: find plugins, show what they offer, and put them into presets."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcfx.errors import printable

if TYPE_CHECKING:
    from vcfx.hosts.plugins.description import PluginDescription, PluginParameter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--json", action="store_true", help="print JSON, for programs")
    scan = actions.add_parser("scan", parents=[every], help="look for plugins, each in a process of its own")
    scan.add_argument("folders", metavar="FOLDER", type=Path, nargs="*", help="where (default: the usual folders)")
    scan.add_argument("--again", action="store_true", help="look into known plugins too")
    actions.add_parser("list", parents=[every], help="list the plugins that were found")
    show = actions.add_parser("show", parents=[every], help="show one plugin's parameters")
    show.add_argument("plugin", metavar="NAME", help="a plugin's name or file")
    show.add_argument("--window", action="store_true", help="open its own window; prints what was changed there")
    add = actions.add_parser("add", parents=[every], help="put a plugin into a preset, before its limiter")
    add.add_argument("plugin", metavar="NAME", help="a plugin's name or file")
    add.add_argument("preset", metavar="PRESET", help="a preset's name or file; one of vcfx is copied first")
    add.add_argument("--to", type=Path, metavar="FILE", help="write the result here instead")
    add.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="set a parameter")
    bench = actions.add_parser("bench", parents=[every], help="measure plugins' time per block")
    bench.add_argument("plugins", metavar="NAME", nargs="*", help="which (default: all that load)")


def run(options: argparse.Namespace) -> int:
    """Run one sub-command."""
    if options.action == "scan":
        return _scan(options.folders, options.again, options.json)
    if options.action == "list":
        return _list(options.json)
    if options.action == "add":
        return _add(options)
    if options.action == "bench":
        from vcfx.bench.plugin_bench import print_plugin_bench

        return print_plugin_bench(options.plugins, options.json)
    return _show_window(options.plugin, options.json) if options.window else _show(options.plugin, options.json)


def _scan(folders: list[Path], again: bool, as_json: bool) -> int:
    from vcfx.errors import PluginError
    from vcfx.hosts.plugins.folders import find_bundles, standard_folders
    from vcfx.hosts.plugins.inventory import Inventory
    from vcfx.hosts.plugins.scan import scan

    from .plugins_progress import scan_progress

    for folder in folders:
        if not folder.exists():
            raise PluginError(f"{folder}: there is no such folder")
    bundles = find_bundles([folder.resolve() for folder in folders] or standard_folders())
    inventory = Inventory.load()
    inventory.forget_missing()
    with scan_progress(len(bundles), quiet=as_json) as on_bundle:
        scan(bundles, inventory, on_bundle, again=again)
    paths = {str(bundle) for bundle in bundles}
    found = [plugin for plugin in inventory.plugins() if plugin.path in paths]
    if as_json:
        print(json.dumps([_summary(plugin) for plugin in found], indent=2))
        return 0
    aside = [plugin for plugin in found if plugin.problem]
    good = len(found) - len(aside)
    print(f"{good} plugin{'' if good == 1 else 's'} found in {len(bundles)} files, {len(aside)} put aside")
    for plugin in aside:
        print(printable(f"  {plugin.name}: {plugin.problem}"))
    if not bundles:
        print(f"Looked in {', '.join(map(str, folders or standard_folders()))}")
    return 0


def _list(as_json: bool) -> int:
    from vcfx.hosts.plugins.inventory import Inventory

    found = Inventory.load().plugins()
    if as_json:
        print(json.dumps([_summary(plugin) for plugin in found], indent=2))
        return 0
    width = max((len(plugin.name) for plugin in found), default=0)
    for plugin in found:
        facts = f"put aside: {plugin.problem}" if plugin.problem else _line(plugin)
        print(printable(f"{plugin.name:<{width}}  {facts}"))
    if not found:
        print("No plugin is known yet; `vcfx plugins scan` looks for them")
    return 0


def _line(plugin: PluginDescription) -> str:
    latency = f", {plugin.latency_samples} samples latency" if plugin.latency_samples else ""
    return f"{plugin.format}  {_channels(plugin):<14}  {plugin.category}, {plugin.manufacturer}{latency}"


def _channels(plugin: PluginDescription) -> str:
    return " and ".join({1: "mono", 2: "stereo"}[count] for count in plugin.channels)


def _summary(plugin: PluginDescription) -> dict[str, Any]:
    facts = plugin.as_json()
    del facts["parameters"]
    return facts | {"channels": list(plugin.channels)}


def _show(name: str, as_json: bool) -> int:
    from vcfx.hosts.plugins.inventory import find_plugin

    plugin = find_plugin(name)
    if as_json:
        parameters = [table | {"key": p.key} for table, p in zip(_tables(plugin), plugin.parameters, strict=True)]
        print(json.dumps(_summary(plugin) | {"parameters": parameters}, indent=2))
        return 0
    print(printable(f"{plugin.name} {plugin.version}, {plugin.manufacturer}: {plugin.category}"))
    print(printable(plugin.path))
    print(f"{plugin.format}, {_channels(plugin)}, {plugin.latency_samples} samples latency at 48 kHz\n")
    width = max((len(parameter.key) for parameter in plugin.parameters), default=0)
    for parameter in plugin.parameters:
        print(printable(f"{parameter.key:<{width}}  {_allowed(parameter)}"))
    return 0


def _tables(plugin: PluginDescription) -> list[dict[str, Any]]:
    tables: list[dict[str, Any]] = plugin.as_json()["parameters"]
    return tables


def _allowed(parameter: PluginParameter) -> str:
    unit = f" {parameter.unit}" if parameter.unit else ""
    if parameter.kind == "number":
        return f"{parameter.minimum:g} to {parameter.maximum:g}{unit}, default {parameter.default:g}"
    return f"{' | '.join(parameter.choices)}, default {parameter.default}"


def _show_window(name: str, as_json: bool) -> int:
    from vcfx.hosts.plugins.inventory import find_plugin
    from vcfx.hosts.plugins.window import changed_in_window

    plugin = find_plugin(name)
    changed = changed_in_window(plugin)
    if as_json:
        print(json.dumps(changed, indent=2))
        return 0
    import tomli_w

    print(printable("# for a preset's chain; nothing else was changed in the window"))
    print(tomli_w.dumps({"chain": [{"node": "plugin", "plugin": plugin.name, **changed}]}).rstrip())
    return 0


def _add(options: argparse.Namespace) -> int:
    from vcfx.hosts.plugins.inventory import find_plugin
    from vcfx.presets import load_preset, save_preset

    from .plugins_adding import target_of, with_plugin

    plugin = find_plugin(options.plugin)
    preset = with_plugin(load_preset(options.preset), plugin, options.plugin, options.set)
    path = options.to or target_of(options.preset)
    save_preset(preset, path)
    print(json.dumps({"file": str(path)}) if options.json else printable(f"{path}: has '{plugin.name}' now"))
    return 0
