"""`vcfx demo`: hear it at once, live if there are devices, else from the bundled clip into a file."""

from __future__ import annotations

import argparse
import sys
from importlib import resources
from pathlib import Path
from typing import Final

from vcfx.errors import DeviceError

LIVE_BLOCK_FRAMES: Final = 128


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--preset", default="deep", help="a preset's name or file (deep)")
    parser.add_argument("--file", action="store_true", help="do not go live: change the bundled clip into a file")
    parser.add_argument("--output", type=Path, default=Path("demo.wav"), metavar="FILE", help="that file (demo.wav)")


def run(options: argparse.Namespace) -> int:
    """Go live where a person and devices are there, else convert the bundled clip."""
    obstacle = _obstacle(options.file) or _run_live(options.preset)
    if obstacle:
        print(f"Not live: {obstacle}.", flush=True)
        return convert_clip(options.preset, options.output)
    return 0


def _obstacle(asked_for_file: bool) -> str:
    """Why not live; empty if nothing stands in the way."""
    if asked_for_file:
        return "--file was given"
    if not sys.stdin.isatty():
        return "nobody is at the terminal to end it"
    from vcfx.devices import default_device

    try:
        default_device("input"), default_device("output")
    except DeviceError as error:
        return str(error)
    return ""


def _run_live(preset: str) -> str:
    """Run until Ctrl-C; returns why the devices could not be opened, empty if they could."""
    from vcfx.__main__ import run_command

    print(f"Live with '{preset}'. Wear headphones; Ctrl-C ends it.", flush=True)
    try:
        run_command("run", ["--preset", preset])
    except DeviceError as error:
        return str(error)
    return ""


def convert_clip(preset: str, output: Path) -> int:
    """Convert the bundled clip and say what it cost."""
    from vcfx.files.conversion import ConvertOptions, convert_file
    from vcfx.offline import renderer_factory

    make_renderer = renderer_factory(preset)
    options = ConvertOptions(force=True, preset=preset)
    with resources.as_file(resources.files("vcfx") / "data" / "clip.flac") as clip:
        convert_file(clip, output, make_renderer, options)  # compiles what this machine has not compiled yet
        result = convert_file(clip, output, make_renderer, options)
    print(f"{output}: {result.seconds:.1f} s of speech through '{preset}', {result.times_real_time:.0f} x real time")
    print(f"Live, the voice itself {added_latency(preset)}; `vcfx latency` measures it with your devices.")
    return 0


def added_latency(preset: str) -> str:
    """Say by how much a preset delays the voice live: measured with noise bursts through the engine, and stated."""
    from vcfx.bench.loopback import measure_added_latency
    from vcfx.presets import load_preset

    found = measure_added_latency(load_preset(preset), LIVE_BLOCK_FRAMES)
    measured = "could not be measured" if found.measured_ms is None else f"takes {found.measured_ms:.1f} ms (measured)"
    return f"{measured}, {found.stated_ms:.1f} ms (stated), in blocks of {LIVE_BLOCK_FRAMES} frames"
