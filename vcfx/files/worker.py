"""What a worker process does: convert the files it is sent, one after another."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from vcfx.errors import VcfxError

from . import ffmpeg
from .conversion import ConvertOptions, convert_file
from .renderer import RendererFactory, RendererSource, ReusedRenderers
from .result import Result
from .standard_streams import shown

_REPORT_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Task:
    """One file for a worker.

    Parameters
    ----------
    source, target, part
        Input, output, and the temporary name under which the output grows.
    shown_input, shown_output
        What a person calls them.
    options
        How to convert.
    """

    source: Path
    target: Path
    part: Path
    shown_input: str
    shown_output: str
    options: ConvertOptions


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file is."""

    seconds_done: float
    seconds_in_all: float | None


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why no file at all can be converted: the preset is wrong."""

    reason: str


def work(connection: Connection, renderers: RendererSource) -> None:
    """Serve tasks until None comes or the parent is gone. Runs in a process of its own."""
    signal.signal(signal.SIGTERM, _end_at_once)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone: nobody to tell
        _serve(connection, renderers)


def _serve(connection: Connection, renderers: RendererSource) -> None:
    try:
        factory = ReusedRenderers(renderers.load())
    except VcfxError as error:
        connection.send(Unusable(str(error)))
        return
    _silence_decoders()
    while (task := connection.recv()) is not None:
        connection.send(_result(connection, task, factory))


def _result(connection: Connection, task: Task, factory: RendererFactory) -> Result:
    last = time.monotonic()

    def report(done: float, in_all: float | None) -> None:
        nonlocal last
        if time.monotonic() - last >= _REPORT_EVERY_S:
            last = time.monotonic()
            connection.send(Progress(done, in_all))

    try:
        result = convert_file(task.source, task.target, factory, task.options, report, task.part)
    except VcfxError as error:
        return _failed(task, str(error), "refused")
    except MemoryError:
        return _failed(task, f"{task.source}: not enough memory", "refused")
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        return _failed(task, f"{task.source}: {type(error).__name__}: {error}", "failed")
    return _shown(result, task)


def _failed(task: Task, sentence: str, kind: str) -> Result:
    sentence = _with_shown_names(sentence, task)
    return Result(task.shown_input, task.shown_output, task.options.preset, error=sentence, error_kind=kind)


def _shown(result: Result, task: Task) -> Result:
    values: dict[str, Any] = result.as_json()
    return Result(**(values | {"input": task.shown_input, "output": task.shown_output}))


def _with_shown_names(sentence: str, task: Task) -> str:
    shown_input = shown(Path(task.shown_input))
    named = sentence.replace(str(task.source), shown_input).replace(str(task.target), task.shown_output)
    return " ".join(named.split())


def _silence_decoders() -> None:
    """Close standard error: mpg123 chats there about damaged files, and all that matters goes through the pipe."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _end_at_once(signum: int, frame: object) -> None:
    ffmpeg.kill_running()
    os._exit(128 + signum)
