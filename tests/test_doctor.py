"""`vcfx doctor` on machines that lack things: each is made in a child process."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sound_servers import child_environment, dummy_jack, needs_jack, needs_pulse, private_pulse, run_python
from vcfx.cli.doctor import is_ready, report
from vcfx.devices import packages
from vcfx.doctor.check import Check, run_child, verdict
from vcfx.doctor.machine import check_cache, check_governor
from vcfx.doctor.software import PACKAGES

ROOT = Path(__file__).parents[1]
#: On the child's path this module is loaded first of all, there and in every Python that it starts.
NO_PORTAUDIO = """
import ctypes.util
found = ctypes.util.find_library
ctypes.util.find_library = lambda name: None if name == "portaudio" else found(name)
"""


def run_doctor(env: dict[str, str], expect: int = 0) -> dict[str, Any]:
    command = [sys.executable, "-m", "vcfx", "doctor", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
    document: dict[str, Any] = json.loads(done.stdout)
    document["by_name"] = {check["name"]: check for check in document["checks"]}
    return document


def with_modules(folder: Path, **modules: str) -> dict[str, str]:
    """Return an environment in which modules of these names and sources are found before all others."""
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
    env = child_environment({"PULSE_SERVER": "unix:/nonexistent", "JACK_NO_START_SERVER": "1"})
    env["PYTHONPATH"] = os.pathsep.join([str(folder), env["PYTHONPATH"]])
    return env


def test_without_portaudio_files_still_work(tmp_path: Path) -> None:
    found = run_doctor(with_modules(tmp_path, sitecustomize=NO_PORTAUDIO))
    assert (found["files_ready"], found["live_ready"]) == (True, False)
    assert found["by_name"]["PortAudio"]["status"] == "missing"
    assert found["by_name"]["PortAudio"]["mend"] == packages.install_command("portaudio")
    assert found["by_name"]["sounddevice"]["status"] == "ok"
    assert found["by_name"]["kernels"]["status"] == "ok"


@pytest.mark.parametrize("command", ["devices", "device"])
def test_without_portaudio_or_server_commands_say_how_to_mend_it(tmp_path: Path, command: str) -> None:
    env = with_modules(tmp_path, sitecustomize=NO_PORTAUDIO)
    arguments = {"devices": ["devices"], "device": ["device", "create"]}[command]
    done = subprocess.run(
        [sys.executable, "-m", "vcfx", *arguments], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert re.fullmatch(r"vcfx: [^\n]*; (install it|start one) with: [^\n]+\n", done.stderr), done.stderr


def test_broken_packages_are_named_with_their_fault(tmp_path: Path) -> None:
    env = with_modules(
        tmp_path,
        pedalboard="import os, signal\nos.kill(os.getpid(), signal.SIGILL)",
        rtmidi="raise ModuleNotFoundError(\"No module named 'rtmidi'\")",
        soundfile="raise ImportError('libsndfile: wrong ELF class')",
    )
    found = run_doctor(env, expect=1)
    assert found["files_ready"] is False
    by_name = found["by_name"]
    assert "SIGILL" in by_name["pedalboard"]["detail"]
    assert "--no-binary pedalboard" in by_name["pedalboard"]["mend"]
    assert by_name["pedalboard"]["status"] == "optional"
    assert by_name["python-rtmidi"]["detail"] == "not installed"
    assert by_name["python-rtmidi"]["mend"].endswith("pip install python-rtmidi")
    assert by_name["soundfile"]["status"] == "missing"
    assert "wrong ELF class" in by_name["soundfile"]["detail"]
    assert by_name["numpy"]["status"] == "ok"


def test_without_numba_the_doctor_still_reports(tmp_path: Path) -> None:
    env = with_modules(tmp_path, numba="raise ModuleNotFoundError(\"No module named 'numba'\")")
    found = run_doctor(env, expect=1)
    assert found["by_name"]["numba"]["detail"] == "not installed"
    assert found["by_name"]["kernels"]["status"] == "missing"


def test_cache_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VCFX_CACHE_DIR", str(tmp_path / "file" / "cache"))
    cache, disk = check_cache()
    assert (cache.name, cache.status, disk.name) == ("cache folder", "optional", "disk")
    assert "cannot be written" in cache.detail
    assert "VCFX_CACHE_DIR" in cache.mend
    monkeypatch.setenv("VCFX_CACHE_DIR", str(tmp_path / "new" / "cache"))
    assert check_cache()[0].status == "ok"


def sound_checks(env: dict[str, str]) -> dict[str, dict[str, str]]:
    program = """
import dataclasses, json
from vcfx.doctor.sound import check_sound
print(json.dumps({check.name: dataclasses.asdict(check) for check in check_sound()}))
"""
    found: dict[str, dict[str, str]] = json.loads(run_python(program, env).stdout)
    return found


@pytest.mark.pulse
@needs_pulse
def test_sound_server_and_virtual_microphone_are_seen() -> None:
    with private_pulse() as server:
        before = sound_checks(server.env)
        command = [sys.executable, "-m", "vcfx", "device", "create"]
        subprocess.run(command, env=server.env, capture_output=True, timeout=60, check=True)
        alone = sound_checks(server.env)
        real = ["pactl", "load-module", "module-null-source", "source_name=real"]
        subprocess.run(real, env=server.env, capture_output=True, timeout=20, check=True)
        subprocess.run(["pactl", "set-default-source", "real"], env=server.env, timeout=20, check=True)
        after = sound_checks(server.env)
    assert "hear itself" in alone["default microphone"]["detail"]
    assert "default microphone" not in after
    assert before["sound server"]["detail"] == "pulseaudio"
    assert before["ALSA plugin"]["status"] == "ok"
    assert before["virtual microphone"]["mend"] == "vcfx device create"
    assert after["virtual microphone"]["status"] == "ok"
    assert "default 'default'" in after["input devices"]["detail"]


@pytest.mark.jack
@needs_jack
def test_jack_server_is_seen() -> None:
    with dummy_jack() as server:
        found = sound_checks(server.env | {"PULSE_SERVER": "unix:/nonexistent"})
    assert found["JACK"]["status"] == "ok"
    assert found["sound server"]["mend"] == packages.sound_server_command()
    assert "default 'system'" in found["output devices"]["detail"]


def test_report_has_the_mending_command_below_its_line() -> None:
    checks = [verdict("one", True, "fine"), verdict("two", False, "bad", "live", "do this")]
    lines = report(checks).splitlines()
    assert lines[0].split() == ["OK", "one", "fine"]
    assert lines[1].split() == ["missing", "two", "bad"]
    assert lines[2].split(": ") == [" " * 15 + "mend", "do this"]
    assert lines[-2:] == ["Files: ready", "Live:  not ready, for lack of two"]


@pytest.mark.parametrize(
    ("need", "files", "live"), [("files", False, False), ("live", True, False), ("extra", True, True)]
)
def test_what_is_missing_decides_which_job_can_run(need: Any, files: bool, live: bool) -> None:
    checks: Sequence[Check] = [verdict("x", False, "", need)]
    assert (is_ready(checks, "files"), is_ready(checks, "live")) == (files, live)


def test_governor_is_read_where_the_kernel_shows_it(tmp_path: Path) -> None:
    assert check_governor(tmp_path) == []
    for cpu, governor in (("cpu0", "performance"), ("cpu1", "powersave")):
        (tmp_path / cpu / "cpufreq").mkdir(parents=True)
        (tmp_path / cpu / "cpufreq" / "scaling_governor").write_text(governor + "\n")
    assert [check.status for check in check_governor(tmp_path)] == ["optional"]
    (tmp_path / "cpu1" / "cpufreq" / "scaling_governor").write_text("performance")
    assert [check.status for check in check_governor(tmp_path)] == ["ok"]


def test_child_that_hangs_is_given_up() -> None:
    assert run_child("-c", "import time; time.sleep(60)", timeout_s=0.5).failure == "no answer within 0.5 s"


def test_every_dependency_is_examined() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {re.split(r"[ <>=~!;\[]", line, maxsplit=1)[0] for line in project["dependencies"]} == set(PACKAGES)


@pytest.mark.parametrize(
    ("manager", "expected"),
    [
        ("apt-get", "apt-get install -y libportaudio2"),
        ("dnf", "dnf install -y portaudio"),
        ("pacman", "pacman -S --needed portaudio"),
    ],
)
def test_command_is_that_of_the_machines_package_manager(
    monkeypatch: pytest.MonkeyPatch, manager: str, expected: str
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name == manager else None)
    assert packages.install_command("portaudio").removeprefix("sudo ") == expected


def test_unknown_package_manager_gets_the_three_commonest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    command = packages.install_command("portaudio")
    assert command.count(" or ") == 2
    assert all(name in command for name in ("apt-get install", "dnf install", "pacman -S"))
