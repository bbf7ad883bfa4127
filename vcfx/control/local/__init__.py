"""Control of a running voice from other processes of its user, over a local socket."""

from __future__ import annotations

from .place import ControlAddress
from .remote import RemoteControl
from .server import ControlServer
from .transport import running

__all__ = ["ControlAddress", "ControlServer", "RemoteControl", "running"]
