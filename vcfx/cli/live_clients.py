"""The clients that a live run can open beside its display: each is a module named here."""

from __future__ import annotations

import argparse
import contextlib
import importlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import ModuleType

from vcfx.control.surface import ControlSurface

#: Modules with `add_arguments(parser)`, and `open_client(options, surface)`, which returns a context or None.
CLIENTS: tuple[str, ...] = (
    "vcfx.control.local.live_client",
    "vcfx.control.midi.live_client",
    "vcfx.control.osc.live_client",
    "vcfx.control.hotkeys.live_client",
)


def _modules() -> list[ModuleType]:
    return [importlib.import_module(name) for name in CLIENTS]


def add_client_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of all clients."""
    for module in _modules():
        module.add_arguments(parser)


@contextlib.contextmanager
def open_clients(options: argparse.Namespace, surface: ControlSurface) -> Iterator[list[object]]:
    """Open what the options ask for; closed in reverse order.

    Raises
    ------
    VcfxError
        If a client cannot open; those opened before it are closed again.
    """
    with contextlib.ExitStack() as opened:
        clients: list[object] = []
        for module in _modules():
            client: AbstractContextManager[object] | None = module.open_client(options, surface)
            if client is not None:
                clients.append(opened.enter_context(client))
        yield clients
