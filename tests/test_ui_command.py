"""`vcfx ui`: serves the panel and opens a browser at it, or does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from fake_surface import FakeSurface
from vcfx.__main__ import main
from vcfx.control.local import ControlServer

pytestmark = pytest.mark.xdist_group("browser")


def ui(*options: str, browser: Path) -> tuple[str, str]:
    """Start `vcfx ui` on a voice of this process; return the address it tells and the page's text there."""
    surface, opened = FakeSurface(), browser.with_name("opened")
    control = ControlServer(surface)
    command = [sys.executable, "-m", "vcfx", "ui", "--attach", str(os.getpid()), "--port", "0", "--json", *options]
    child = subprocess.Popen(
        command,
        env={**os.environ, "BROWSER": f"{browser} %s"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(60.0, child.kill)
    watchdog.start()
    try:
        assert child.stdout is not None
        assert child.stderr is not None
        told = child.stdout.readline()
        assert told, child.stderr.read()
        address = json.loads(told)["serving"]
        with urllib.request.urlopen(address, timeout=20) as answer:
            page = answer.read().decode()
        end = time.monotonic() + 10.0
        while "--no-browser" not in options and not opened.exists() and time.monotonic() < end:
            time.sleep(0.02)
        control.close()  # the voice ends, and the panel with it
        child.wait(20.0)
        return address, page
    finally:
        watchdog.cancel()
        child.kill()
        child.communicate()
        control.close()


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for the control socket that no other test looks into, and one for what the browser is told."""
    folder = tmp_path / "r"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return tmp_path


def opener(folder: Path) -> Path:
    """A browser that notes where it was sent."""
    program = folder / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {folder}/opened\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def test_the_browser_is_sent_to_the_panel(runtime: Path) -> None:
    address, page = ui(browser=opener(runtime))
    assert "<title>vcfx</title>" in page
    assert (runtime / "opened").read_text(encoding="utf-8").strip() == address


def test_without_a_browser_only_the_address_is_told(runtime: Path) -> None:
    address, page = ui("--no-browser", browser=opener(runtime))
    assert address.startswith("http://127.0.0.1:")
    assert "<title>vcfx</title>" in page
    assert not (runtime / "opened").exists()


def test_a_voice_that_does_not_run_is_refused(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ui", "--attach", "123456789", "--no-browser", "--port", "0"]) == 2
    assert "no voice changer" in capsys.readouterr().err
