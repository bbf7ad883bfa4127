"""The MIDI options of a live run."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager

from vcfx.control.surface import ControlSurface
from vcfx.errors import ControlError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group("MIDI")
    group.add_argument(
        "--midi",
        action="append",
        default=[],
        metavar="PORT",
        help="take orders from a controller: number, part of its name, or 'virtual' for a port that others connect to;"
        " repeatable, and it may be plugged in later",
    )
    group.add_argument("--midi-map", metavar="M", help="what its events do: a map's name or file (default: default)")
    group.add_argument(
        "--midi-lights",
        nargs="?",
        const="auto",
        metavar="PORT",
        help="show on the controller's lights what is on: its own output, or the one named",
    )
    add_api_argument(group)


def add_api_argument(parser: argparse._ActionsContainer) -> None:
    """Declare the choice between several MIDI systems."""
    parser.add_argument(
        "--midi-api",
        default="auto",
        metavar="API",
        help="alsa, jack, coremidi or winmm (default: auto, all that answer)",
    )


def open_client(options: argparse.Namespace, surface: ControlSurface) -> AbstractContextManager[object] | None:
    """Return the client that the options ask for; None if they ask for none."""
    if not options.midi:
        for option in ("midi_map", "midi_lights"):
            if getattr(options, option) is not None:
                name = option.replace("_", "-")
                raise ControlError(
                    f"--{name} is {getattr(options, option)!r}, but no port is; give it with --midi PORT"
                )
        return None
    from .client import MidiClient, MidiRequest
    from .map_library import DEFAULT_MAP, load_map

    map_name = options.midi_map or DEFAULT_MAP
    load_map(map_name)  # a map that is named has to be there; only learning makes new ones
    return MidiClient(surface, MidiRequest(tuple(options.midi), map_name, options.midi_lights or "", options.midi_api))
