"""`vcfx convert` as a person or a script meets it."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from file_renderers import source
from vcfx.cli import convert
from vcfx.errors import VcfxError

PLAIN = 'schema_version = 1\nname = "Plain"\ndescription = "Nothing."\n'


def write(path: Path, frames: int = 30_000, channels: int = 1) -> npt.NDArray[np.int16]:
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = np.random.default_rng(frames).integers(-9000, 9000, (frames, channels)).astype(np.int16)
    soundfile.write(path, sound, 48000)
    return sound


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    convert.add_arguments(parser)
    return parser.parse_args([*arguments, "-p", "echo"])


def converted(*arguments: str, function: str = "delayed_gain", argument: str = "50 2 0") -> int:
    return convert.convert_inputs(parsed(*arguments), source(function, argument))


def vcfx(*arguments: str, fed: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-m", "vcfx", "convert", *arguments]
    return subprocess.run(argv, capture_output=True, timeout=120, check=False, input=fed)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def plain(tmp_path: Path) -> str:
    path = tmp_path / "plain.toml"
    path.write_text(PLAIN)
    return str(path)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, vcfx.__main__ as m\n"
        "try: m.main(['convert', '--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'numpy', 'numba', 'soundfile', 'sounddevice', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "-o FOLDER" in done.stdout


def test_the_listed_formats_are_those_that_can_be_written() -> None:
    from vcfx.files.formats import FORMATS

    assert list(FORMATS) == list(convert._FORMATS)


def test_files_work_without_sounddevice() -> None:
    code = "import sys; sys.modules['sounddevice'] = None; import vcfx.files.batch, vcfx.cli.convert_progress"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_folder_is_mirrored_with_one_object_per_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = write(here / "in" / "a.wav")
    write(here / "in" / "deep" / "b.flac", channels=2)
    (here / "in" / "deep" / "bad.wav").write_bytes(b"nothing")
    assert converted("in", "-o", "out", "--json", "--jobs", "2") == 2
    captured = capsys.readouterr()
    results = {result["input"]: result for result in map(json.loads, captured.out.splitlines())}
    assert sorted(results) == ["in/a.wav", "in/deep/b.flac", "in/deep/bad.wav"]
    good, bad = results["in/deep/b.flac"], results["in/deep/bad.wav"]
    assert (good["output"], good["error"], good["channels"]) == ("out/deep/b.flac", None, 2)
    assert (good["seconds"], good["sample_rate"], good["preset"]) == (30_000 / 48_000, 48_000, "echo")
    assert (good["latency_removed_samples"], good["clipped_samples"]) == (50, 0)
    assert good["times_real_time"] > 0
    assert "in/deep/bad.wav cannot be read" in bad["error"]
    assert captured.err.splitlines() == [f"vcfx: {bad['error']}"]
    assert files(here / "out") == ["a.wav", "deep/b.flac"]
    np.testing.assert_array_equal(soundfile.read("out/a.wav", dtype="int16")[0], 2 * sound[:, 0])


def test_without_output_the_preset_goes_into_the_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here / "a.wav")
    assert converted("a.wav") == 0
    assert files(here) == ["a.echo.wav", "a.wav"]
    assert converted("a.wav") == 2
    assert "a.echo.wav exists; give --force to replace it" in capsys.readouterr().err
    assert converted("a.wav", "--force") == 0
    assert capsys.readouterr().err == ""
    assert converted("*.wav", "--force", "-f", "flac", "-o", "out") == 0
    assert files(here / "out") == ["a.echo.flac", "a.flac"]


def test_clipping_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write("a.wav", np.array([0.9, 0.1, -0.9]), 48000)
    assert converted("a.wav", "-o", "b.wav") == 0
    assert "b.wav: 2 samples above full scale were clipped" in capsys.readouterr().err
    assert converted("a.wav", "-o", "c.wav", "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_a_renderer_that_dies_costs_one_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here / "in" / "a.wav", channels=2)
    write(here / "in" / "mono.wav", channels=1)
    write(here / "in" / "z.wav", channels=2)
    assert converted("in", "-o", "out", function="dies_on_mono") == 2
    assert "in/mono.wav: the worker process ended with SIGSEGV" in capsys.readouterr().err
    assert files(here / "out") == ["a.wav", "z.wav"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("a.wav", "--jobs", "-1"), "--jobs is -1; allowed: 0 or more"),
        (("a.wav", "-o", "-", "--json"), "both want standard output"),
        (("-", "--json"), "both want standard output"),
        (("a.wav", "-", "-o", "x"), "'-' must be the only input"),
        (("a.wav", "b.wav", "-o", "-"), "'-o -' takes one input"),
        (("a.wav", "b.wav", "-o", "c.wav"), "several inputs need a folder"),
        (("a.wav", "-o", "c.xyz"), "'xyz' is not a format that can be written"),
    ],
)
def test_contradictions_are_one_sentence(here: Path, plain: str, arguments: tuple[str, ...], sentence: str) -> None:
    write(here / "a.wav")
    done = vcfx(*arguments, "-p", plain)
    assert done.returncode == 2
    assert sentence in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_preset_is_told_once(here: Path) -> None:
    write(here / "a.wav")
    write(here / "b.wav")
    done = vcfx("a.wav", "b.wav", "-p", "no-such-preset")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert b"no preset 'no-such-preset'" in done.stderr


@pytest.mark.parametrize(("name", "kind"), [("wav", "WAV"), ("ogg", "OGG")])
def test_pipes(here: Path, plain: str, name: str, kind: str) -> None:
    sound = write(here / "a.wav", channels=2)
    done = vcfx("-", "-o", "-", "-p", plain, "-f", name, fed=(here / "a.wav").read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    (here / "out").write_bytes(done.stdout)
    assert soundfile.info("out").format == kind
    if kind != "OGG":
        np.testing.assert_array_equal(soundfile.read("out", dtype="int16")[0], sound)


def test_standard_input_alone_goes_to_standard_output_as_wav(here: Path, plain: str) -> None:
    sound = write(here / "a.flac")
    done = vcfx("-", "-p", plain, fed=(here / "a.flac").read_bytes())
    (here / "out").write_bytes(done.stdout)
    assert soundfile.info("out").format == "WAV"
    np.testing.assert_array_equal(soundfile.read("out", dtype="int16")[0], sound[:, 0])
    empty = vcfx("-", "-p", plain, fed=b"")
    assert (empty.returncode, empty.stdout) == (2, b"")
    assert empty.stderr == b"vcfx: standard input is empty (0 bytes)\n"


def test_a_named_pipe_is_read(here: Path, plain: str) -> None:
    sound = write(here / "a.wav")
    os.mkfifo("pipe")
    feeder = subprocess.Popen(["sh", "-c", "cat a.wav > pipe"])
    done = vcfx("pipe", "-o", "out.wav", "-p", plain)
    feeder.wait(10)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(soundfile.read("out.wav", dtype="int16")[0], sound[:, 0])


def test_a_closed_pipe_ends_quietly(here: Path, plain: str) -> None:
    write(here / "a.wav", 2_000_000)
    command = f"{sys.executable} -m vcfx convert a.wav -o - -p {plain} | head -c 10 > head.bin"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=120, check=False)
    assert (here / "head.bin").read_bytes().startswith(b"RIFF")
    assert done.stderr == b""


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_bars_go_to_a_terminal_and_only_there(here: Path, plain: str) -> None:
    write(here / "a.wav", channels=2)
    (here / "\udcff[red].wav").write_bytes(b"a name that is neither UTF-8 nor markup")
    ours, theirs = os.openpty()
    argv = [sys.executable, "-m", "vcfx", "convert", *sorted(map(str, here.glob("*.wav"))), "-p", plain, "--json"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    told = b""
    with contextlib.suppress(OSError):  # so does a terminal end
        while chunk := os.read(ours, 4096):
            told += chunk
    os.close(ours)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert [json.loads(line)["error"] is None for line in printed.splitlines()] == [True, False]
    assert b"all files" in told
    assert b"1 of 2 files" in told
    assert b"[red].wav cannot be read" in told
    assert b"Traceback" not in told


def test_a_real_preset_with_look_ahead_lines_up_to_the_sample(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A limiter far above the sound only delays it; that delay must be gone from the file."""
    (here / "ahead.toml").write_text('schema_version = 1\nname = "Ahead"\n[[chain]]\nnode = "limiter"\n')
    sound = write(here / "a.flac", 50_001, channels=2)
    options = argparse.ArgumentParser()
    convert.add_arguments(options)
    assert convert.run(options.parse_args(["a.flac", "-p", "ahead.toml", "--json"])) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["output"] == "a.ahead.flac"
    assert result["latency_removed_samples"] > 0
    np.testing.assert_array_equal(soundfile.read("a.ahead.flac", dtype="int16")[0], sound)


def hours_of_silence(path: Path, hours: float) -> None:
    """Write a WAV whose samples are a hole in the file: long, and yet it takes no room."""
    size = round(hours * 3600) * 48000 * 2
    header = (
        b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 48000, 96000, 2, 16)
    )
    with path.open("wb") as file:
        file.write(header + b"data" + struct.pack("<I", size))
        file.truncate(44 + size)


@pytest.mark.parametrize(
    ("number", "code", "to_group"),
    [
        (signal.SIGINT, 130, True),
        (signal.SIGINT, 130, False),
        (signal.SIGTERM, 143, False),
        (signal.SIGHUP, 129, False),
        (signal.SIGKILL, -9, False),
    ],
)
def test_an_interruption_leaves_nothing_half_done(
    here: Path, plain: str, number: signal.Signals, code: int, to_group: bool
) -> None:
    """A terminal's Ctrl-C goes to the whole group of processes, `kill` to one; after SIGKILL the workers tidy up."""
    (here / "in").mkdir()
    for name in ("a", "b", "c"):
        hours_of_silence(here / "in" / f"{name}.wav", 6)
    argv = [sys.executable, "-m", "vcfx", "convert", "in", "-o", "out", "-f", "flac", "-p", plain, "-j", "2"]
    process = subprocess.Popen(argv, start_new_session=True, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while len(list(here.glob("out/.*.part"))) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    (os.killpg if to_group else os.kill)(process.pid, number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == code
    assert b"Traceback" not in told
    if number != signal.SIGKILL:
        assert files(here / "out") == []
    deadline = time.monotonic() + 10
    while group_lives(process.pid):
        assert time.monotonic() < deadline, "a worker is left"
        time.sleep(0.02)
    assert files(here / "out") == []


def test_memory_does_not_grow_with_the_file(here: Path) -> None:
    """A second and half an hour of sound (173 MB) take the same memory, within 20 MB."""
    peaks = []
    for hours, name in ((1 / 3600, "short.wav"), (0.5, "long.wav")):
        hours_of_silence(here / name, hours)
        code = (
            "import resource, sys\nfrom pathlib import Path\nfrom file_renderers import IDENTITY\n"
            "from vcfx.files import convert_file\n"
            f"convert_file(Path('{name}'), Path('{name}.flac'), IDENTITY)\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        path = os.pathsep.join(entry for entry in sys.path if entry)
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            timeout=120,
            env=os.environ | {"PYTHONPATH": path},
        )
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 20_000


def test_run_refuses_before_it_starts() -> None:
    with pytest.raises(VcfxError, match="--jobs"):
        convert.run(parsed("a.wav", "--jobs", "-3"))
