"""The web server in a process of its own, over real sockets, with a control surface that has no engine."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from fake_surface import FakeSurface
from vcfx.control import messages as m
from vcfx.control.local import ControlServer, place
from vcfx.web.access import Access
from vcfx.web.listening import listen
from vcfx.web.web_process import WebProcess

pytestmark = pytest.mark.xdist_group("web_process")


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
