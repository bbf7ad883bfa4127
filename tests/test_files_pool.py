"""Worker processes: one bad file costs one file; stopping leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from file_renderers import source
from vcfx.errors import VcfxError
from vcfx.files.conversion import ConvertOptions
from vcfx.files.pool import WorkerPool
from vcfx.files.renderer import RendererSource
from vcfx.files.result import Result
from vcfx.files.target import part_beside
from vcfx.files.worker import Progress, Task


def task(folder: Path, name: str, channels: int = 2, frames: int = 20_000) -> Task:
    path, target = folder / f"{name}.wav", folder / f"{name}.out.wav"
    soundfile.write(path, np.full((frames, channels), 0.25), 48000)
    return Task(path, target, part_beside(target), path.name, target.name, ConvertOptions())


def outcomes(tasks: list[Task], renderers: RendererSource, workers: int, stall_limit_s: float = 60) -> list[Result]:
    results: dict[int, Result] = {}
    with WorkerPool(tasks, renderers, workers, stall_limit_s) as pool:
        for index, event in pool.events():
            if isinstance(event, Result):
                assert index not in results
                results[index] = event
    return [results[index] for index in range(len(tasks))]


def outputs(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if ".out." in path.name or path.suffix == ".part")


@pytest.mark.parametrize("workers", [1, 3])
def test_every_task_gets_its_result(tmp_path: Path, workers: int) -> None:
    tasks = [task(tmp_path, f"n{number}") for number in range(5)]
    results = outcomes(tasks, source(argument="100 1 0"), workers)
    assert [result.output for result in results] == [one.shown_output for one in tasks]
    assert all(result.error is None for result in results)
    for one in tasks:
        np.testing.assert_array_equal(soundfile.read(one.target)[0], soundfile.read(one.source)[0])


@pytest.mark.parametrize(
    ("function", "kind", "sentence"),
    [
        ("dies_on_mono", "crashed", "bad.wav: the worker process ended with SIGSEGV on this file"),
        ("hangs_on_mono", "stalled", "bad.wav: nothing happened for 6 s; given up"),
        ("raises_on_mono", "failed", "bad.wav: RuntimeError: a mistake in the renderer"),
    ],
)
def test_a_bad_file_does_not_stop_the_rest(tmp_path: Path, function: str, kind: str, sentence: str) -> None:
    tasks = [task(tmp_path, "a"), task(tmp_path, "bad", channels=1), task(tmp_path, "b"), task(tmp_path, "c")]
    results = outcomes(tasks, source(function), 1, stall_limit_s=6)
    assert [result.error_kind for result in results] == ["", kind, "", ""]
    assert results[1].error is not None
    assert results[1].error.endswith(sentence)
    assert outputs(tmp_path) == ["a.out.wav", "b.out.wav", "c.out.wav"]


def test_an_unusable_preset_stops_everything_with_its_sentence(tmp_path: Path) -> None:
    with pytest.raises(VcfxError, match="there is no preset 'x'"):
        outcomes([task(tmp_path, "a"), task(tmp_path, "b")], source("unusable", "x"), 2)
    assert outputs(tmp_path) == []


def test_leaving_early_ends_the_workers_at_once(tmp_path: Path) -> None:
    tasks = [task(tmp_path, name, frames=4_000_000) for name in ("a", "b")]
    with WorkerPool(tasks, source("slow"), 2) as pool:
        _, event = next(pool.events())
        assert isinstance(event, Progress)
        processes = [worker.process for worker in pool._workers]
        assert any(name.endswith(".part") for name in outputs(tmp_path))
        started = time.monotonic()
    assert time.monotonic() - started < 10
    assert not any(process.is_alive() for process in processes)
    assert outputs(tmp_path) == []


def has_ended(pid: int, within_s: float = 5.0) -> bool:
    """Whether a process that is not our child ends; whoever inherited it may take a moment to collect it."""
    limit_s = time.monotonic() + within_s
    while time.monotonic() < limit_s:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
        if state.startswith("Z"):
            return True
        time.sleep(0.05)
    return False


def test_an_ffmpeg_that_hangs_is_ended_with_its_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = tmp_path / "commands"
    commands.mkdir()
    (commands / "ffmpeg").write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 1000\n")
    (commands / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    bad, good = task(tmp_path, "bad"), task(tmp_path, "good")
    bad.source.write_bytes(b"no sound that libsndfile knows")
    results = outcomes([bad, good], source(), 1, stall_limit_s=6)
    assert [result.error_kind for result in results] == ["stalled", ""]
    assert has_ended(int((tmp_path / "pid").read_text()))
