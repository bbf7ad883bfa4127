"""`vcfx latency`: measure the round trip by loopback, beside what drivers and nodes state."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcfx.engine.probe import Probe, RoundTrip

_TIMEOUT_S = 60.0
_POLL_S = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `vcfx latency`."""
    parser.epilog = (
        "Connect the output to the input: a cable, a virtual cable, or hold the microphone to the headphones. "
        "Noise bursts are played; turn the volume down first."
    )
    parser.add_argument("-i", "--input", metavar="D", help="input device: number or part of its name")
    parser.add_argument("-o", "--output", metavar="D", help="output device: number or part of its name")
    parser.add_argument("-p", "--preset", metavar="P", help="put a preset into the path as well")
    parser.add_argument("--block", type=int, default=128, metavar="N", help="frames per callback (default: 128)")
    parser.add_argument("--rate", type=int, metavar="HZ", help="sample rate (default: 48000 where it works)")
    parser.add_argument("--latency", type=float, metavar="MS", help="latency to ask of the drivers")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Measure and print; exit code 1 if the bursts did not come back."""
    from .live_program import check_stream_options

    check_stream_options(options)
    from vcfx.engine.portaudio_backend import PortAudioBackend
    from vcfx.engine.round_trip import graph_with_probe, measured, probe_of
    from vcfx.engine.session import LiveSession, SessionRequest
    from vcfx.presets import Preset, load_preset

    preset = load_preset(options.preset) if options.preset else Preset("none")
    request = SessionRequest(options.input, options.output, None, options.block, options.rate, options.latency)
    session = LiveSession(PortAudioBackend(), preset, request, graph_with_probe)
    try:
        session.start()
        probe = probe_of(session)
        _wait(probe, quiet=options.json)
        result = measured(session, probe)
        stated = session.stated_latency_ms()
    finally:
        session.close()
    _print_json(result, stated, options) if options.json else _print(result, stated, options)
    return 0 if result.latency_ms is not None else 1


def _wait(probe: Probe, quiet: bool) -> None:
    from rich.console import Console
    from rich.progress import Progress

    limit_s = time.monotonic() + _TIMEOUT_S
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("listening for noise bursts", total=1.0)
        while probe.progress_ratio < 1.0 and time.monotonic() < limit_s:
            progress.update(task, completed=probe.progress_ratio)
            time.sleep(_POLL_S)


def _print_json(result: RoundTrip, stated: dict[str, float | None], options: argparse.Namespace) -> None:
    found = {
        "round_trip_ms": result.latency_ms,
        "bursts_ms": list(result.delays_ms),
        "method": result.method,
        "floor_db": result.floor_db,
        "stated": stated,
        "preset": options.preset,
        "block_frames": options.block,
    }
    print(json.dumps(found))


def _print(result: RoundTrip, stated: dict[str, float | None], options: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table

    if result.latency_ms is None:
        print(
            f"vcfx: {len(result.delays_ms)} of the noise bursts came back and no three agree within 1 ms "
            f"(noise floor {result.floor_db:.0f} dBFS); is the output connected to the input?",
            file=sys.stderr,
        )
        return
    table = Table(title="round trip", title_style="bold")
    table.add_column("part")
    table.add_column("ms", justify="right")
    labels = {
        "input_device_ms": "input device, stated",
        "clock_bridge_ms": "clock bridge, stated",
        "preset_ms": "preset, stated",
        "output_device_ms": "output device, stated",
    }
    for key, label in labels.items():
        value = stated[key]
        table.add_row(label, "not stated" if value is None else f"{value:.2f}")
    known = [value for value in stated.values() if value is not None]
    table.add_row("sum of what is stated", f"{sum(known):.2f}")
    spread = max(result.delays_ms) - min(result.delays_ms)
    how = f"{len(result.delays_ms)} bursts by {result.method}, spread {spread:.2f} ms"
    table.add_row(f"[bold]measured[/bold] ({how})", f"[bold]{result.latency_ms:.2f}[/bold]")
    Console().print(table)
