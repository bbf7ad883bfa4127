"""The talk key of clients that go away."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_surface import FakeSurface
from vcfx.control import messages as m
from vcfx.control.local import ControlServer, RemoteControl, place

pytestmark = pytest.mark.timeout(60)
LIMIT_S = 10.0


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    short = Path(f"/tmp/vcfx-test-{os.getpid()}-{time.monotonic_ns():x}")  # pytest's is too long for a socket's name
    monkeypatch.setattr(place, "folders", lambda: iter([short]))
    yield short
    shutil.rmtree(short, ignore_errors=True)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("watches", [True, False])
def test_who_watches_and_goes_away_lets_go_of_the_key(watches: bool) -> None:
    surface = FakeSurface()
    with ControlServer(surface, tcp=False) as served:
        with RemoteControl(served.address) as control:
            if watches:
                control.watch(lambda _: None)
            control.submit(m.PushToTalk(True)).result(LIMIT_S)
        with RemoteControl(served.address) as other:  # answered after the first one's end was noticed, or soon
            end_s = time.monotonic() + (LIMIT_S if watches else 0.3)
            while other.state().talking and time.monotonic() < end_s:
                time.sleep(0.01)
            assert other.state().talking != watches
