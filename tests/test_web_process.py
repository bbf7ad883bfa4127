"""The web server in a process of its own, over real sockets, with a control surface that has no engine."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from fake_surface import FakeSurface
from vcfx.control import messages as m
from vcfx.control.local import ControlServer, place
from vcfx.errors import ControlError
from vcfx.web.access import Access
from vcfx.web.limits import Limits
from vcfx.web.listening import listen
from vcfx.web.web_process import WebProcess

pytestmark = pytest.mark.xdist_group("web_process")


NO_FRAMES: tuple[str | bytes, ...] = (
    "", "{", "[]", "NaN", "\x00", "[" * 20_000, b"\x00\xff", '{"kind": "mute"}', '{"kind": "message", "id": 1}',
    '{"kind": "meters", "rate_hz": 1000}', '{"kind": "meters", "rate_hz": true}', '{"kind": "meters", "spectra": 1}',
    '{"kind": "message", "id": [], "message": {}}', '{"kind": "message", "id": 1e999, "message": {}}',
)  # fmt: skip


class Site:
    """A voice without an engine, its control socket and its web server."""

    def __init__(self) -> None:
        self.surface = FakeSurface()
        self.problems: list[str] = []
        self.control = ControlServer(self.surface)
        listening = listen("127.0.0.1", 0)
        self.port: int = listening.getsockname()[1]
        self.web = WebProcess(listening, Access("127.0.0.1", self.port), self.control.address, self.problems.append)
        self.address = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.web.close()
        self.control.close()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder of this module's for control sockets, so that other tests do not meet them."""
    with tempfile.TemporaryDirectory(prefix="vcfx-w") as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, "folders", lambda: iter([Path(name)]))
        yield Path(name)


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


async def received(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next frame of a kind."""
    async with asyncio.timeout(10.0):
        while True:
            frame: dict[str, Any] = json.loads(await socket.recv())
            if frame["kind"] == kind:
                return frame


def live(site: Site) -> connect:
    return connect(f"ws://127.0.0.1:{site.port}/api/live", compression=None)


def test_a_message_goes_all_the_way(site: Site) -> None:
    answer = httpx.post(f"{site.address}/api/do/switch_preset", json={"preset": "robot"})
    assert answer.json()["applied"] is True
    assert site.surface.received[-1] == m.SwitchPreset("robot")
    assert httpx.get(f"{site.address}/api/state").json()["preset_name"] == "robot"


def test_a_socket_gets_state_outcomes_and_changes(site: Site) -> None:
    async def talk() -> None:
        async with live(site) as socket:
            assert (await received(socket, "state"))["state"]["muted"] is False
            await socket.send(json.dumps({"kind": "message", "id": 7, "message": {"type": "mute", "on": True}}))
            assert (await received(socket, "state"))["state"]["muted"] is True
            await socket.send(json.dumps({"kind": "message", "id": "x", "message": {"type": "mute", "on": False}}))
            outcome = await received(socket, "outcome")
            assert outcome["outcome"]["applied"] is True

    asyncio.run(talk())


def test_meters_come_at_the_rate_that_was_chosen(site: Site) -> None:
    async def count() -> tuple[int, dict[str, Any]]:
        async with live(site) as socket:
            await socket.send(json.dumps({"kind": "meters", "rate_hz": 50, "spectra": True}))
            await received(socket, "meters")
            end_s, frames = time.monotonic() + 1.0, 0
            while time.monotonic() < end_s:
                frame = await received(socket, "meters")
                frames += 1
            return frames, frame

    frames, frame = asyncio.run(count())
    assert 5 <= frames <= 55  # how many really arrive is a matter of the machine: never more than asked for
    assert len(frame["meters"]["input_spectrum_db"]) == 64


def test_what_is_no_frame_is_told_and_hurts_nobody(site: Site) -> None:
    async def talk() -> None:
        async with live(site) as socket:
            for frame in NO_FRAMES:
                await socket.send(frame)
                assert (await received(socket, "error"))["error"]
            await socket.send('{"kind": "message", "id": "m", "message": {"type": "mut"}}')
            outcome = await received(socket, "outcome")
            assert outcome["id"] == "m"
            assert "there is no message type 'mut'" in outcome["outcome"]["reason"]

    asyncio.run(talk())


def test_a_message_that_is_too_long_ends_only_its_socket(site: Site) -> None:
    async def talk() -> None:
        async with live(site) as other, live(site) as socket:
            await received(other, "state")
            await socket.send("x" * 70_000)
            with pytest.raises(ConnectionClosed):
                await received(socket, "nothing")
            assert socket.close_code == 1009
            await received(other, "meters")

    asyncio.run(talk())


def test_there_are_only_so_many_sockets(site: Site) -> None:
    async def talk() -> None:
        async with contextlib.AsyncExitStack() as opened:
            for _ in range(Limits().live_clients):
                await received(await opened.enter_async_context(live(site)), "state")
            one_too_many = await opened.enter_async_context(live(site))
            with pytest.raises(ConnectionClosed):
                await one_too_many.recv()
            assert one_too_many.close_code == 1013
        async with live(site) as socket:  # there is room again
            await received(socket, "state")

    asyncio.run(talk())


def test_a_client_that_does_not_read_holds_up_nobody(site: Site) -> None:
    async def talk() -> int:
        deaf = stalled_client(site.port)
        try:
            async with live(site) as socket:
                await received(socket, "state")
                frames, end_s = 0, time.monotonic() + 2.0
                while time.monotonic() < end_s:
                    await received(socket, "meters")
                    frames += 1
                await socket.send('{"kind": "message", "id": 1, "message": {"type": "panic"}}')
                assert (await received(socket, "outcome"))["outcome"]["applied"]
                return frames
        finally:
            deaf.close()

    assert asyncio.run(talk()) >= 10  # 25 a second on an idle machine
    assert httpx.get(f"{site.address}/api/about").status_code == 200


def stalled_client(port: int) -> socket.socket:
    """A WebSocket that asks for all there is and for thousands of answers, and reads nothing of it."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    made.connect(("127.0.0.1", port))
    key = base64.b64encode(bytes(16)).decode()
    made.sendall(
        f"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert made.recv(12) == b"HTTP/1.1 101"
    made.setblocking(False)
    question = masked('{"kind": "message", "id": "%s", "message": {"type": "mut"}}' % ("x" * 40))
    with contextlib.suppress(BlockingIOError):
        made.sendall(masked('{"kind": "meters", "rate_hz": 60, "spectra": true}'))
        for _ in range(100_000):
            made.sendall(question)
    return made


def masked(text: str) -> bytes:
    """A text frame of a client with fewer than 126 bytes, masked with zeros."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode()


def test_a_talk_key_that_is_held_is_let_go_with_the_socket(site: Site) -> None:
    async def talk() -> None:
        async with live(site) as socket:
            await socket.send('{"kind": "message", "id": 1, "message": {"type": "push_to_talk", "held": true}}')
            assert (await received(socket, "outcome"))["outcome"]["applied"]
            assert site.surface.received[-1] == m.PushToTalk(True)
            socket.transport.abort()  # the phone is out of reach

    asyncio.run(talk())
    wait_until(lambda: site.surface.received[-1] == m.PushToTalk(False))


def test_spectra_are_given_back_with_the_socket(site: Site) -> None:
    async def talk() -> None:
        async with live(site) as socket:
            await socket.send('{"kind": "meters", "spectra": true}')
            await asyncio.to_thread(wait_until, lambda: site.surface.spectra == 1)

    asyncio.run(talk())
    wait_until(lambda: site.surface.spectra == 0)


def wait_until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end_s, "waited for 20 s"
        time.sleep(0.02)


@pytest.mark.parametrize("path", ["/page/../app.py", "/page/..%2fapp.py", "//page/../../app.py", "/page/%2e%2e/app.py"])
def test_a_path_that_climbs_finds_nothing(site: Site, path: str) -> None:
    with socket.create_connection(("127.0.0.1", site.port), 5.0) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nConnection: close\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize(
    "request_text",
    ["\x00" * 100, "GET\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
     "POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + "x" * 1_000_000 + "\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_request_is_refused(site: Site, request_text: str) -> None:
    with socket.create_connection(("127.0.0.1", site.port), 5.0) as raw:
        with contextlib.suppress(ConnectionError):
            raw.sendall(request_text.encode())
        with contextlib.suppress(ConnectionError):
            assert raw.recv(100)[:10] in (b"", b"HTTP/1.1 4")
    assert httpx.get(f"{site.address}/api/about").status_code == 200


def test_a_server_that_dies_is_started_again_and_the_voice_goes_on(site: Site) -> None:
    before = site.web.process_id
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: site.web.process_id != before)
    assert httpx.get(f"{site.address}/api/about", timeout=20.0).status_code == 200
    assert any("starting it again" in problem for problem in site.problems)
    assert site.surface.spectra == 0


def test_the_server_ends_when_the_voice_does(folder: Path) -> None:
    site = Site()
    process_id = site.web.process_id
    site.control.close()
    assert site.web.ended.wait(10.0)
    wait_until(lambda: not is_alive(process_id))
    assert site.problems == []
    site.web.close()


def test_the_server_ends_when_the_program_is_killed(folder: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from fake_surface import FakeSurface\n"
        "from vcfx.control.local import ControlServer, place; from vcfx.web.access import Access\n"
        "from vcfx.web.listening import listen; from vcfx.web.web_process import WebProcess\n"
        "place.folders = lambda: iter([Path(sys.argv[1])]); listening = listen('127.0.0.1', 0)\n"
        "control = ControlServer(FakeSurface())\n"
        "web = WebProcess(listening, Access(), control.address, print)\n"
        "print(web.process_id, flush=True); time.sleep(100)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, env=environment
    ) as program:
        assert program.stdout is not None
        process_id = int(program.stdout.readline())
        assert is_alive(process_id)
        program.kill()
    wait_until(lambda: not is_alive(process_id))


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"  # nobody has asked how it ended


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    nowhere = place.ControlAddress("12345", folder / "12345.sock")
    with listen("127.0.0.1", 0) as listening, pytest.raises(ControlError, match=r"does not start .*has ended"):
        WebProcess(listening, Access(), nowhere, print)


def test_the_server_ends_in_order_when_it_is_asked_to(folder: Path) -> None:
    async def stay(site: Site) -> int | None:
        async with live(site) as socket:
            await received(socket, "meters")
            await asyncio.to_thread(site.web.close)
            with pytest.raises(ConnectionClosed):
                await received(socket, "nothing")
            return socket.close_code

    site = Site()
    assert asyncio.run(stay(site)) == 1012  # "service restart": a page tries again
    assert site.web._process.returncode == 0  # it was not killed
    site.control.close()
