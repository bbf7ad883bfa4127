"""Listening and connecting: Unix sockets where there are any, else loopback TCP with a token in a private file."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vcfx.errors import ControlError

from .lines import from_line, to_line
from .place import PORT_ENDING, SOCKET_ENDING, ControlAddress, listed, open_folder

_BACKLOG: Final = 16
#: Windows tries a port for two seconds before it says that nobody listens there.
_PROBE_S: Final = {SOCKET_ENDING: 0.5, PORT_ENDING: 3.0}


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket, its address, and the token that a client must say first (empty: none)."""

    socket: socket.socket
    address: ControlAddress
    token: str

    def close(self) -> None:
        """Stop listening and take the address away."""
        self.socket.close()
        with contextlib.suppress(OSError):
            self.address.path.unlink()


def listen(name: str, *, tcp: bool = os.name == "nt") -> Listener:
    """Listen under a name, in the private folder; a name that is in use gets a number.

    The socket listens before its file has its name: whoever finds the file can connect.

    Raises
    ------
    ControlError
        If there is no private folder, or nothing can be made in it.
    """
    folder = open_folder()
    _forget_dead(listed())
    unfinished = folder / f".{os.urandom(4).hex()}"
    try:
        made, token = _listening_port(unfinished) if tcp else (_listening_socket(unfinished), "")
        path = _free_path(folder, name, PORT_ENDING if tcp else SOCKET_ENDING)
        os.rename(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise ControlError(f"the control socket cannot be made in {folder}: {error.strerror}") from None
    return Listener(made, ControlAddress(path.stem, path), token)


def _listening_socket(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    path.chmod(0o600)
    made.listen(_BACKLOG)
    return made


def _listening_port(path: Path) -> tuple[socket.socket, str]:
    made, token = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG), os.urandom(32).hex()
    path.touch(mode=0o600)
    path.write_bytes(to_line({"port": made.getsockname()[1], "token": token}))
    return made, token


def _free_path(folder: Path, name: str, ending: str) -> Path:
    numbers = itertools.count(2)
    path = folder / f"{name}{ending}"
    while path.exists():
        path = folder / f"{name}-{next(numbers)}{ending}"
    return path


def connect(address: ControlAddress, timeout_s: float) -> socket.socket:
    """Return a socket that is connected to a running voice, its token said.

    Raises
    ------
    OSError
        If nobody answers there; `ConnectionRefusedError` and `FileNotFoundError` mean that its process is dead.
    """
    if address.path.suffix == SOCKET_ENDING:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(address.path))
        except OSError:
            connection.close()
            raise
        return connection
    try:
        facts = from_line(address.path.read_bytes())
        port, token = int(facts["port"]), str(facts["token"])
    except (ControlError, KeyError, ValueError, TypeError):
        raise FileNotFoundError(f"{address.path} is damaged") from None
    connection = socket.create_connection(("127.0.0.1", port), timeout_s)
    connection.sendall(to_line({"token": token}))
    return connection


def running() -> list[ControlAddress]:
    """Return the addresses of the voices that run now, by number of process; those of dead ones are removed."""
    _forget_dead(listed())
    return sorted(listed(), key=lambda address: (len(address.name), address.name))


def of_another_user(connection: socket.socket) -> bool:
    """Whether the other end of a Unix socket is a process of somebody else (root may). Linux tells, others do not."""
    if not hasattr(socket, "SO_PEERCRED") or connection.family != socket.AF_UNIX:
        return False
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return user not in (0, os.getuid())


def _forget_dead(addresses: Iterable[ControlAddress]) -> None:
    """Remove the files of processes that were killed: nobody listens there any more."""
    for address in addresses:
        try:
            connect(address, _PROBE_S[address.path.suffix]).close()
        except (ConnectionRefusedError, FileNotFoundError):
            with contextlib.suppress(OSError):
                address.path.unlink()
        except OSError:  # alive, but too busy to answer
            continue
