"""`vcfx serve` as a person starts it, and what stands around the server's process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.requests import Request

from fake_surface import FakeSurface
from sound_servers import child_environment, dummy_jack, needs_jack
from vcfx.__main__ import main
from vcfx.control import messages as m
from vcfx.control.local import ControlServer, place
from vcfx.errors import ControlError
from vcfx.web import requirements, web_process
from vcfx.web.access import Access
from vcfx.web.app import create_app
from vcfx.web.invitation import invitation
from vcfx.web.limits import Limits
from vcfx.web.listening import listen, page_address
from vcfx.web.live_feed import LiveFeed
from vcfx.web.live_socket import serve_live_socket
from vcfx.web.pages import page_file
from vcfx.web.server import PageServer
from vcfx.web.web_process import WebProcess

pytestmark = pytest.mark.xdist_group("web_process")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of this test's for control sockets, so that other tests do not meet them."""
    with tempfile.TemporaryDirectory(prefix="vcfx-w") as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, "folders", lambda: iter([Path(name)]))
        yield Path(name)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "70000"], "--port is 70000; allowed: 0 to 65535"),
        (["--host", "no.such.host.invalid"], "--host is 'no.such.host.invalid', which is no address of this machine"),
        (["--host", "192.0.2.77"], "--host is '192.0.2.77', which is no address of this machine"),
        (["--host", "0.0.0.0", "--no-token"], "--no-token is only for addresses of this machine; others reach 0.0.0.0"),
        (["--token", "short"], "the token must be at least 16 printable ASCII characters"),
        (["--token", "x" * 20, "--no-token"], "--token and --no-token exclude each other"),
        (["--attach"], "no voice changer is running"),
        (["--attach", "1"], "no voice changer is running"),
        (["--no-control"], "--no-control does not go with a web server"),
        (["--block", "7"], "--block is 7; allowed: 16 to 8192 frames"),
    ],
)
def test_bad_options_are_one_sentence_and_exit_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    with signals_kept():
        assert main(["serve", "--port", "0", *arguments]) == 2
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert shown.out == ""


@contextlib.contextmanager
def signals_kept() -> Iterator[None]:
    """Put back what a command does with signals: it expects to be a process of its own."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def test_a_port_that_is_taken_is_told_before_anything_starts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0) as listening, signals_kept():
        port = listening.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"vcfx: port {port} of 127.0.0.1 is in use by another program; choose one with --port\n"
    )


def test_missing_packages_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "PACKAGES", ("json", "no_such_package"))
    with pytest.raises(ControlError, match=r"needs no_such_package: pip install 'vcfx-voice\[web\]'"):
        requirements.check_installed()


def start(*arguments: str, env: dict[str, str]) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """A running `vcfx serve` and what it says first."""
    command = [sys.executable, "-m", "vcfx", "serve", "--port", "0", "--json", *arguments]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.communicate(timeout=20.0)[1])
    return process, json.loads(line)


def test_a_voice_that_runs_is_served_and_outlives_its_server() -> None:
    with tempfile.TemporaryDirectory(prefix="vcfx-r") as runtime, pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, "folders", lambda: iter([Path(runtime) / "vcfx"]))
        env = child_environment({"XDG_RUNTIME_DIR": runtime})
        surface = FakeSurface()
        with contextlib.closing(ControlServer(surface)) as control:
            process, said = start("--attach", str(os.getpid()), env=env)
            with process:
                answer = httpx.post(f"{said['serving']}api/do/panic", headers={"X-Vcfx": "1"})
                assert answer.json()["applied"]
                assert surface.received == [m.Panic()]
                process.send_signal(signal.SIGINT)
                assert process.wait(20.0) == 0
            assert surface.submit(m.Mute(True)).result().block == 2  # type: ignore[union-attr]
            process, said = start("--attach", env=env)
            with process:
                control.close()
                assert process.wait(20.0) == 0
                assert process.stderr is not None
                assert process.stderr.read() == "vcfx: the voice changer has ended\n"


@pytest.mark.jack
@needs_jack
def test_a_voice_of_its_own_is_served_with_a_token() -> None:
    with dummy_jack(48_000, 256) as server:
        process, said = start("--host", "0.0.0.0", "--preset", "deep", env=server.env)
        with process:
            address, _, token = said["serving"].partition("#token=")
            assert httpx.get(f"{address}api/state").status_code == 401
            client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30.0)
            assert client.get("/api/state").json()["preset_name"] == "deep"
            outcome = client.post("/api/messages", json={"type": "switch_preset", "preset": "robot"}).json()
            assert outcome["applied"]
            assert outcome["block"] > 0
            state = client.get("/api/state").json()
            assert state["preset_name"] == "robot"
            assert client.get("/api/meters").json()["blocks"] > 0
            client.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(40.0) == 0
            assert not exists(said["process_id"])


def exists(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_server_that_dies_again_and_again_stays_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_process, "_MOST_STARTS", 1)
    problems: list[str] = []
    with contextlib.closing(ControlServer(FakeSurface())) as control:
        with WebProcess(listen("127.0.0.1", 0), Access(), control.address, problems.append) as web:
            os.kill(web.process_id, signal.SIGKILL)
            assert web.ended.wait(20.0)
            assert not web.voice_ended
        assert len(problems) == 1
        assert problems[0].endswith("it stays off")


def test_addresses_are_those_that_people_can_type() -> None:
    with listen("localhost", 0) as listening:
        port = listening.getsockname()[1]
        assert page_address(listening, None) == f"http://127.0.0.1:{port}/"
    with listen("0.0.0.0", 0) as listening:
        address = page_address(listening, "t" * 20)
        assert address.endswith(f":{listening.getsockname()[1]}/#token={'t' * 20}")
    lines = invitation("http://192.168.1.7:8723/#token=abc", code=True).splitlines()
    assert lines[0] == "the panel is at http://192.168.1.7:8723/#token=abc"
    assert any("not encrypted" in line for line in lines)
    assert len(lines) > 10  # the code for the camera
    assert invitation("http://127.0.0.1:8723/", code=True).splitlines() == ["the panel is at http://127.0.0.1:8723/"]


class DeafSocket:
    """A WebSocket whose other end takes nothing."""

    def __init__(self) -> None:
        self.closed = 0

    async def accept(self) -> None:
        pass

    async def receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("nothing was to be received")

    async def send_text(self, _text: str) -> None:
        await asyncio.Event().wait()

    async def close(self, code: int, _reason: str) -> None:
        self.closed = code


def test_a_client_that_takes_nothing_is_dropped() -> None:
    async def drop() -> tuple[int, int]:
        surface, deaf = FakeSurface(), DeafSocket()
        feed = LiveFeed(surface)
        await serve_live_socket(deaf, surface, feed, Limits(live_send_seconds=0.05))  # type: ignore[arg-type]
        return deaf.closed, feed.clients

    assert asyncio.run(asyncio.wait_for(drop(), 20.0)) == (1008, 0)


def test_the_pages_files_and_no_others(tmp_path: Path) -> None:
    page = tmp_path / "page"
    (page / "js").mkdir(parents=True)
    (tmp_path / "secret.js").write_text("secret")
    (page / "js" / "a.js").write_text("one")
    (page / "notes.txt").write_text("not of a kind that is given out")
    (page / "link.js").symlink_to(tmp_path / "secret.js")
    request = Request({"type": "http", "headers": []})
    found = page_file(request, "js/a.js", page)
    assert found.status_code == 200
    assert found.body == b"one"
    assert found.headers["content-type"] == "text/javascript; charset=utf-8"
    again = Request({"type": "http", "headers": [(b"if-none-match", found.headers["etag"].encode())]})
    assert page_file(again, "js/a.js", page).status_code == 304
    (page / "js" / "a.js").write_text("two")
    assert page_file(again, "js/a.js", page).body == b"two"
    for path in (
        "link.js",
        "notes.txt",
        "js",
        "../secret.js",
        "js/../../secret.js",
        "js//a.js",
        "/js/a.js",
        "js/a.js\0",
    ):
        assert page_file(request, path, page).status_code == 404, path


def test_a_socket_that_listens_keeps_little_for_slow_clients() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 131_072


def test_connections_that_ask_nothing_are_closed_and_others_stay() -> None:
    limits = Limits(body_seconds=0.3)
    server = PageServer(create_app(FakeSurface(), limits=limits), limits)
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            place = listening.getsockname()
            with socket.create_connection(place, 20.0) as silent, socket.create_connection(place, 20.0) as asks:
                silent.sendall(b"GET /api/about HTTP/1.1\r\nHost: 127.")
                asks.sendall(b"GET /api/about HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert asks.recv(15) == b"HTTP/1.1 200 OK"
                assert silent.recv(100) == b""
                asks.sendall(b"GET /api/about HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert b"HTTP/1.1 200 OK" in asks.recv(65_536) + asks.recv(65_536)
        finally:
            server.should_exit = True
            thread.join(20.0)


def test_the_voices_process_knows_nothing_of_the_server() -> None:
    code = (
        "import sys, vcfx.cli.serve, vcfx.web.requirements, vcfx.web.access, vcfx.web.listening, vcfx.web.web_process\n"
        "sys.exit(' '.join({'fastapi', 'starlette', 'uvicorn', 'pydantic', 'websockets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60.0)
    assert done.stderr.strip() == ""
