"""`vcfx bench`: measure graph, engine, files and the neural voice on this machine."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

USUAL_PARTS = ("graph", "engine", "files")
PARTS = (*USUAL_PARTS, "voice", "control")
Figures = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `vcfx bench`."""
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(PARTS)} (default: graph, engine, files)"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the timed runs (default: 20)")
    parser.add_argument("--output", metavar="D", help="a real device with both sides, to count delivered blocks on")
    parser.add_argument("--pairs-every", type=int, default=16, metavar="N", help="try every N-th pair of devices")
    parser.add_argument(
        "--voice",
        metavar="V",
        help="voice to measure with: name or file (default: the first); for control V,V,..., else none",
    )
    parser.add_argument("--model", metavar="FOLDER", help="networks to measure instead of those of vcfx")
    parser.add_argument("--changes", type=int, default=10_000, metavar="N", help="for control (default: 10000)")
    parser.add_argument("--json", type=Path, metavar="F", help="write all figures to a file; - for standard output")


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the JSON file if one is wanted."""
    from vcfx.errors import VcfxError, nearest

    for part in options.parts:
        if part not in PARTS:
            raise VcfxError(f"there is nothing to measure called '{part}'{nearest(part, PARTS)}")
    if not 1.0 <= options.seconds <= 36_000.0:
        raise VcfxError(f"--seconds is {options.seconds:g}; allowed: 1 to 36000")
    if options.pairs_every < 1:
        raise VcfxError(f"--pairs-every is {options.pairs_every}; allowed: 1 and more")
    if options.changes < 1:
        raise VcfxError(f"--changes is {options.changes}; allowed: 1 and more")
    os.environ.setdefault("NUMBA_NRT_STATS", "1")
    from vcfx.bench.machine import describe_machine

    figures: Figures = {"machine": describe_machine()}
    for name, measure in _measurements(options).items():
        figures[name] = _with_notice(name, measure)
    if options.json:
        _write(options.json, figures)
    if str(options.json) != "-":
        _print(figures)
    return 0


def _measurements(options: argparse.Namespace) -> dict[str, Callable[[], Figures]]:
    from vcfx.bench import engine_bench, files_bench, graph_bench, loopback

    seconds = options.seconds
    parts = options.parts or USUAL_PARTS
    wanted: dict[str, Callable[[], Figures]] = {}
    if "graph" in parts:
        wanted["graph.callback"] = lambda: graph_bench.bench_graph(seconds)
        wanted["graph.cost"] = graph_bench.bench_back_to_back
    if "engine" in parts:
        wanted["engine.start"] = engine_bench.bench_start
        wanted["engine.latency"] = loopback.bench_presets
        wanted["engine.stall"] = engine_bench.bench_stall
        wanted["engine.pairs"] = lambda: engine_bench.bench_pairs(every=options.pairs_every)
        if options.output:
            wanted["engine.delivery"] = lambda: engine_bench.bench_delivery(options.output, seconds)
    if "files" in parts:
        wanted["files.speed"] = files_bench.bench_files
    if "voice" in parts:
        from vcfx.bench import voice_bench

        chosen = {name: value for name in ("voice", "model") if (value := getattr(options, name)) is not None}
        wanted["voice.hops"] = lambda: voice_bench.bench_voice_hops(seconds, chosen)
        wanted["voice.latency"] = lambda: voice_bench.bench_voice_latency(chosen)
        wanted["voice.engine"] = lambda: voice_bench.bench_voice_in_engine(chosen)
    if "control" in parts:
        from vcfx.bench.control_bench import bench_changes

        wanted["control.effects"] = lambda: bench_changes(options.changes)
        if options.voice:
            voices = tuple(options.voice.split(","))
            wanted["control.voices"] = lambda: bench_changes(options.changes, voices)
    return wanted


def _with_notice(name: str, measure: Callable[[], Figures]) -> Figures:
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        return measure()
    with console.status(f"measuring {name}"):
        return measure()


def _write(path: Path, figures: Figures) -> None:
    text = json.dumps(figures, indent=2)
    if str(path) == "-":
        print(text)
        return
    part = path.with_name(f".{path.name}.part")
    part.write_text(text + "\n")
    os.replace(part, path)


def _print(figures: Figures) -> None:
    from rich.console import Console
    from rich.table import Table

    machine = figures["machine"]
    table = Table(title=f"{machine['processor']}, {machine['cores']} cores, load {machine['load_average']}")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("goal", justify="right")
    for name, found in figures.items():
        if name == "machine":
            continue
        table.add_section()
        table.add_row(f"[bold]{name}[/bold]: {found['what']}", "", "")
        for key, value in _flat(found).items():
            goal = found.get(f"goal_{key}", found.get(f"goal_{key.rpartition('.')[2]}"))
            table.add_row(f"  {key}", _text(value), _text(goal))
    Console().print(table)


def _flat(found: Figures) -> Figures:
    rows: Figures = {}
    for key, value in found.items():
        if key == "what" or key.startswith("goal") or isinstance(value, list):
            continue
        if isinstance(value, dict):
            rows.update({f"{key}.{inner}": number for inner, number in value.items()})
        else:
            rows[key] = value
    return rows


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
