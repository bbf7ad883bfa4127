"""Control of a running voice from other processes of its user, over a local socket.

`vcfx.control.local.server` is the end in the voice's process, `vcfx.control.local.remote` the other one,
`vcfx.control.local.transport.running` lists the voices there are.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .place import ControlAddress
    from .remote import RemoteControl
    from .server import ControlServer
    from .transport import running

__all__ = ["ControlAddress", "ControlServer", "RemoteControl", "running"]

_HOMES: Final = {
    "ControlAddress": "place",
    "ControlServer": "server",
    "RemoteControl": "remote",
    "running": "transport",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: `vcfx send` must start quickly, and needs no server."""
    if name not in _HOMES:
        raise AttributeError(f"there is no {name} in {__name__}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
