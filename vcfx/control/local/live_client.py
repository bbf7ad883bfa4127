"""The control socket as a client of a live run: it is there unless it is not wanted."""

from __future__ import annotations

import argparse
import sys
from contextlib import AbstractContextManager

from vcfx.control.surface import ControlSurface
from vcfx.errors import ControlError, printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``--no-control``."""
    parser.add_argument(
        "--no-control", action="store_true", help="open no control socket: vcfx send will not find this voice"
    )


def open_client(options: argparse.Namespace, surface: ControlSurface) -> AbstractContextManager[object] | None:
    """Open the control socket; where that is not possible say so and let the voice run without."""
    if options.no_control:
        return None
    from .server import ControlServer

    try:
        return ControlServer(surface)
    except ControlError as error:
        print(f"vcfx: running without control from outside: {printable(str(error))}", file=sys.stderr)
        return None
