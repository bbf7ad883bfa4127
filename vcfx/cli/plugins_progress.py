"""Progress of `vcfx plugins scan` on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from vcfx.errors import printable


@contextlib.contextmanager
def scan_progress(bundles: int, quiet: bool) -> Iterator[Callable[[Path | None], None]]:
    """Show a bar on standard error if it is a terminal; yields what is called with each bundle, None at the end."""
    is_shown = sys.stderr.isatty() and not quiet
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), disable=not is_shown, transient=True) as bars:
        row = bars.add_task("", total=bundles)
        begun = 0

        def on_bundle(bundle: Path | None) -> None:
            nonlocal begun
            done = begun if bundle is not None else bundles
            bars.update(row, completed=done, description=escape(printable(bundle.stem)) if bundle else "")
            begun += 1

        yield on_bundle
