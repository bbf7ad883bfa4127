"""`vcfx ui`: change a voice live, with the panel in a browser."""

from __future__ import annotations

import argparse
import contextlib
import threading
import webbrowser

from . import serve


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `vcfx ui`: those of `vcfx serve`, and whether a browser is opened."""
    serve.add_arguments(parser)
    parser.add_argument("--no-browser", action="store_true", help="print the address and open nothing")


def run(options: argparse.Namespace) -> int:
    """Serve the panel and open it; returns the exit code."""
    return serve.serve(options, _ignore if options.no_browser else _open)


def _open(address: str) -> None:
    """Open a browser from a thread of its own: some ways of opening one wait until it is closed."""

    def opening() -> None:
        with contextlib.suppress(webbrowser.Error, OSError):  # the address is on the screen
            webbrowser.open(address)

    threading.Thread(target=opening, name="vcfx-browser", daemon=True).start()


def _ignore(_address: str) -> None:
    pass
