"""Hotkeys as a client of a live run."""

from __future__ import annotations

import argparse
import sys
from contextlib import AbstractContextManager

from vcfx.control.surface import ControlSurface
from vcfx.errors import ControlError, printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``--hotkey`` and ``--no-hotkeys``."""
    parser.add_argument(
        "--hotkey",
        action="append",
        default=[],
        metavar="KEYS=MESSAGE",
        help='a key that works in every window, such as "ctrl+alt+m=mute" or "f13=push-to-talk"; repeatable, and'
        " beside those of hotkeys.toml in the folder of settings",
    )
    parser.add_argument("--no-hotkeys", action="store_true", help="listen to no keys of other windows")


def open_client(options: argparse.Namespace, surface: ControlSurface) -> AbstractContextManager[object] | None:
    """Listen for the hotkeys that there are; where the system has none say so and let the voice run without.

    Raises
    ------
    ControlError
        If a hotkey names keys or a message that do not exist.
    """
    from .binding import hotkeys_file, hotkeys_from_file, hotkeys_from_options, merged

    chosen = hotkeys_from_options(options.hotkey)
    if options.no_hotkeys:
        if chosen:
            raise ControlError("--hotkey and --no-hotkeys do not go together")
        return None
    hotkeys = merged(hotkeys_from_file(hotkeys_file()), chosen)
    if not hotkeys:
        return None
    from .client import HotkeyClient

    try:
        return HotkeyClient(hotkeys, surface)
    except ControlError as error:
        print(f"vcfx: {printable(str(error))}", file=sys.stderr)
        return None
