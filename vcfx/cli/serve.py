"""`vcfx serve`: control a voice over HTTP and WebSocket, and from the panel in a browser."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from vcfx.errors import ControlError, printable

if TYPE_CHECKING:
    from socket import socket

    from vcfx.control.live_state import LiveState
    from vcfx.control.local.place import ControlAddress
    from vcfx.web.access import Access
    from vcfx.web.web_process import WebProcess

    from .live_program import LiveProgram

DEFAULT_PORT: Final = 8723
_LOOK_S: Final = 0.5
Opened = Callable[[str], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `vcfx serve`."""
    from .live_program import add_live_arguments

    add_live_arguments(parser)
    add_server_arguments(parser)


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the web server can be told."""
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, metavar="N", help="port (default: 8723; 0: any)")
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="H", help="address to serve on (0.0.0.0: the whole network, with token)"
    )
    parser.add_argument("--token", metavar="T", help="a token of your own, 16 characters or more (default: random)")
    parser.add_argument("--no-token", action="store_true", help="no token; only for addresses of this machine")
    parser.add_argument("--json", action="store_true", help="tell the address as a JSON object, for programs")
    parser.add_argument(
        "--attach", nargs="?", const="", metavar="PID", help="serve a vcfx that runs already, instead of starting one"
    )


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or the voice ends; returns the exit code."""
    return serve(options, lambda _address: None)


def serve(options: argparse.Namespace, opened: Opened) -> int:
    """Serve until Ctrl-C or the voice ends; `opened` is called with the panel's address once it answers."""
    from vcfx.web.requirements import check_installed

    from .live_program import end_like_ctrl_c

    check_installed()
    end_like_ctrl_c()
    with _listening(options) as (listening, access):
        if options.attach is not None:
            return _serve_running(options, listening, access, opened)
        return _serve_own(options, listening, access, opened)


def _serve_running(options: argparse.Namespace, listening: socket, access: Access, opened: Opened) -> int:
    """Serve a voice of another process."""
    with (
        _served(options, listening, access, _running_voice(options.attach), opened) as web,
        contextlib.suppress(KeyboardInterrupt),
    ):
        web.ended.wait()
        if not web.voice_ended:
            return 2  # what happened has been told
        _tell("the voice changer has ended")
    return 0


def _serve_own(options: argparse.Namespace, listening: socket, access: Access, opened: Opened) -> int:
    """Run a voice and serve it; it goes on when the server ends."""
    from vcfx.control.local import ControlServer

    from .live_program import open_live

    if options.no_control:
        raise ControlError("--no-control does not go with a web server, which controls the voice that way")
    with open_live(options) as program, contextlib.suppress(KeyboardInterrupt):
        control = next((client for client in program.clients if isinstance(client, ControlServer)), None)
        if control is None:
            raise ControlError("there is no control socket, and the web server cannot do without")
        end_watch = program.control.watch(_problem_teller())
        with _served(options, listening, access, control.address, opened):
            _wait_for_interrupt(program)
        end_watch()
    return program.exit_code()


def _wait_for_interrupt(program: LiveProgram) -> None:
    while not program.session.hung:
        time.sleep(_LOOK_S)


def _problem_teller() -> Callable[[LiveState], None]:
    """Return what tells each new problem of a running voice once."""
    told = ""

    def changed(state: LiveState) -> None:
        nonlocal told
        if state.problem and state.problem != told:
            _tell(state.problem)
        told = state.problem

    return changed


@contextlib.contextmanager
def _listening(options: argparse.Namespace) -> Iterator[tuple[socket, Access]]:
    """Take the port, before anything that takes long, and decide about the token."""
    from vcfx.web.access import Access, is_loopback, new_token
    from vcfx.web.listening import listen

    if options.no_token and options.token is not None:
        raise ControlError("--token and --no-token exclude each other")
    with listen(options.host, options.port) as listening:
        host, port = listening.getsockname()[:2]
        token = options.token
        if token is None and not is_loopback(host):
            if options.no_token:
                raise ControlError(f"--no-token is only for addresses of this machine; others reach {host}")
            token = new_token()
        yield listening, Access(host, port, token)


@contextlib.contextmanager
def _served(
    options: argparse.Namespace, listening: socket, access: Access, voice: ControlAddress, opened: Opened
) -> Iterator[WebProcess]:
    from vcfx.web.listening import page_address
    from vcfx.web.web_process import WebProcess

    with WebProcess(listening, access, voice, _tell) as web:
        address = page_address(listening, access.token)
        _announce(options, address, web)
        opened(address)
        yield web


def _announce(options: argparse.Namespace, address: str, web: WebProcess) -> None:
    if options.json:
        print(json.dumps({"serving": address, "process_id": web.process_id}), flush=True)
        return
    from vcfx.web.invitation import invitation

    print(invitation(address, code=sys.stdout.isatty()), flush=True)


def _tell(problem: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"vcfx: {printable(problem)}\n".encode())


def _running_voice(name: str) -> ControlAddress:
    """Return the voice that is meant: the one that runs, or the one of this process number."""
    from vcfx.control.local import running

    found = {address.name: address for address in running()}
    if not found:
        raise ControlError("no voice changer is running; start one with: vcfx run")
    if name == "" and len(found) > 1:
        raise ControlError(f"several voice changers run; say which: --attach {' or '.join(found)}")
    if name != "" and name not in found:
        raise ControlError(f"no voice changer '{name}' is running; running: {', '.join(found)}")
    return found[name or next(iter(found))]
