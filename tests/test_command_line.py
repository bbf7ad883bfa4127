"""What holds for every command: closed and full standard streams, odd names, sentences instead of tracebacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vcfx.__main__ import main

VCFX = f"'{sys.executable}' -m vcfx"


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, timeout=120.0)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["presets list", "convert - -o x.wav -p plain", "nonsense"])
def test_closed_standard_streams_are_like_the_null_device(tmp_path: Path, command: str, closed: str) -> None:
    done = shell(
        f"{VCFX} {command} {closed} < /dev/null" if "<" not in closed else f"{VCFX} {command} {closed}", tmp_path
    )
    assert done.returncode == (0 if command == "presets list" else 2)
    assert "Traceback" not in done.stderr
    assert "vcfx: " not in done.stdout, "an error's sentence belongs to standard error"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("command", ["--help", "--version", "presets list"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_under_standard_output_is_one_sentence(tmp_path: Path, command: str, unbuffered: str) -> None:
    done = shell(f"PYTHONUNBUFFERED={unbuffered} {VCFX} {command} > /dev/full", tmp_path)
    assert done.returncode == 2
    assert done.stderr == "vcfx: the output cannot be used: No space left on device\n"


def test_a_reader_that_has_gone_ends_quietly(tmp_path: Path) -> None:
    done = shell(f"({VCFX} presets list; echo code $? >&2) | true", tmp_path)
    assert done.stderr == "code 0\n"


def test_odd_names_cannot_write_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["convert", "a\x1b[2Jb\nc.wav", "-p", "plain"], ["presets", "check", "a\x1b[2Jb\nc.toml"]):
        assert main(command) == 2
        told = "".join(capsys.readouterr())
        assert "\x1b" not in told
        assert len(told.splitlines()) == 1
    assert main([os.fsdecode(b"\xff\x1b")]) == 2


@pytest.mark.parametrize("arguments", [["", "-p", "plain"], ["x.wav", "-o", "", "-p", "plain"]])
def test_an_empty_name_is_not_this_folder(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["convert", *arguments]) == 2
    assert capsys.readouterr().err == "vcfx: a file name is empty; give a name\n"


def test_a_cache_folder_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    """Kernels then live in a temporary folder, which goes with the process; this used to be a traceback."""
    blocked, temporary = tmp_path / "file", tmp_path / "tmp"
    blocked.write_text("no folder")
    temporary.mkdir()
    program = (
        "import subprocess, sys; from vcfx_dsp.core.cache import cache_root, kernel_cache as k; import vcfx_dsp.node;"
        "print(k().parent.parent); print(cache_root());"
        "print(subprocess.check_output([sys.executable, '-c',"
        " 'from vcfx_dsp.core.cache import kernel_cache as k; print(k().parent.parent)'], text=True).strip())"
    )
    environment = os.environ | {"VCFX_CACHE_DIR": str(blocked), "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120.0)
    assert done.stdout.splitlines() == [str(temporary), str(blocked), str(temporary)], done.stderr
    assert list(temporary.iterdir()) == [], "left behind"
