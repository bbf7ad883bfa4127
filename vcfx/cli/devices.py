"""`vcfx devices`: list audio devices."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.table import Table

    from vcfx.devices import AudioDevice

WIDTH_WITHOUT_TERMINAL: Final = 160
SHORT_HOST_APIS: Final = {
    "JACK Audio Connection Kit": "JACK",
    "Windows WASAPI": "WASAPI",
    "Windows DirectSound": "DirectSound",
    "Windows WDM-KS": "WDM-KS",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "A device is named by its number, its name or a part of it, or HOSTAPI:name."
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument("--all", action="store_true", help="also the recordings of what other devices play (monitors)")


def run(options: argparse.Namespace) -> int:
    """List the devices."""
    from vcfx.devices import list_devices

    devices = list_devices()
    if options.json:
        print(json.dumps(_document(devices), indent=2, ensure_ascii=False))
        return 0
    shown = [device for device in devices if options.all or not device.is_monitor]
    if not shown:
        print("There are no audio devices. `vcfx doctor` says what is missing; files can be converted without any.")
        return 0
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL, highlight=False).print(_table(shown))
    return 0


def _document(devices: Sequence[AudioDevice]) -> dict[str, Any]:
    from vcfx.devices import portaudio

    host_apis = [str(api["name"]) for api in portaudio.sounddevice().query_hostapis()]
    entries = [dataclasses.asdict(device) | {"environment": dict(device.environment)} for device in devices]
    return {"portaudio": portaudio.version(), "host_apis": host_apis, "devices": entries}


def _table(devices: Sequence[AudioDevice]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), header_style="bold")
    table.add_column("", justify="right", style="dim")
    table.add_column("name", overflow="fold")
    table.add_column("host API", no_wrap=True)
    for heading in ("in", "out", "Hz", "latency ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for device in devices:
        table.add_row(*map(Text, _cells(device)))
    return table


def _cells(device: AudioDevice) -> tuple[str, ...]:
    defaults = [direction for direction in ("input", "output") if device.is_default(direction)]
    latencies = [device.low_latency_ms(direction) for direction in ("input", "output") if device.channels(direction)]
    known = list(dict.fromkeys(f"{latency:.1f}" for latency in latencies if latency is not None))
    marks = ["default" if len(defaults) == 2 else f"default {defaults[0]}"] if defaults else []
    marks += ["virtual"] if device.is_virtual else []
    marks += ["monitor"] if device.is_monitor else []
    return (
        "" if device.environment else str(device.index),
        device.name,
        SHORT_HOST_APIS.get(device.host_api, device.host_api),
        str(device.max_input_channels or "-"),
        str(device.max_output_channels or "-"),
        str(device.default_sample_rate_hz),
        " / ".join(known) or "?",
        ", ".join(marks),
    )
