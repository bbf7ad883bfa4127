"""Looks into plugin bundles, each in a child process with a time limit: one that hangs or crashes is put aside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from .description import PluginDescription
from .inventory import Inventory

SCAN_LIMIT_S: Final = 10.0
#: Called with each bundle before it is looked into, or None behind the last.
OnBundle = Callable[[Path | None], None]


def scan(bundles: Sequence[Path], inventory: Inventory, on_bundle: OnBundle, *, again: bool = False) -> None:
    """Look into every bundle that the inventory does not know as it is now, and note what was found.

    The inventory is saved behind each bundle, so an interrupted scan keeps what it has done.

    Parameters
    ----------
    bundles
        Plugin files or folders.
    inventory
        What is known; is changed.
    on_bundle
        For showing progress.
    again
        Whether to look into known ones too.
    """
    for bundle in bundles:
        on_bundle(bundle)
        if again or not inventory.knows(bundle):
            inventory.note(bundle, look_into(bundle))
            inventory.save()
    on_bundle(None)


def look_into(bundle: Path, timeout_s: float = SCAN_LIMIT_S) -> list[PluginDescription]:
    """Return what is in a bundle; where something goes wrong, the last entry has a problem."""
    child = subprocess.Popen(
        [sys.executable, "-m", "vcfx.hosts.plugins.probe", str(bundle), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        told, _ = child.communicate(timeout=timeout_s)
        problem = _how_it_ended(child.returncode)
    except subprocess.TimeoutExpired:
        child.kill()
        told, _ = child.communicate()
        problem = f"did not load within {timeout_s:g} s"
    except BaseException:  # Ctrl-C: the child must not stay behind
        child.kill()
        child.communicate()
        raise
    return _descriptions(told.splitlines(), bundle, problem)


def _descriptions(lines: Iterable[bytes], bundle: Path, problem: str) -> list[PluginDescription]:
    """The last word on each plugin; one of which the first word was the last is what the child ended with."""
    found: dict[str, PluginDescription] = {}
    for line in lines:
        try:
            description = PluginDescription.from_json(json.loads(line))
        except (ValueError, TypeError, KeyError):  # the child ended in the middle of a line
            continue
        found[description.name] = description
    unfinished = [name for name, last in found.items() if last.problem == "was being loaded"]
    for name in unfinished:
        found[name] = PluginDescription(name, str(bundle), problem=problem or "ended without a word")
    if not found:
        found[bundle.stem] = PluginDescription(bundle.stem, str(bundle), problem=problem or "holds no plugin")
    return list(found.values())


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"crashed while it was loaded ({signal.Signals(-code).name})"
    return f"ended the process with exit code {code}" if code else ""
