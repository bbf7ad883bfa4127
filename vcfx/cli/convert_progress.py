"""Progress of `vcfx convert` on a terminal: a line per running file and one for all."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from vcfx.errors import printable
from vcfx.files.result import Result
from vcfx.files.worker import Progress as Step
from vcfx.files.worker import Task


class ConvertProgress:
    """Shows bars on standard error if it is a terminal; a context manager.

    Parameters
    ----------
    quiet
        Show nothing at all.
    """

    def __init__(self, quiet: bool) -> None:
        self._shown = sys.stderr.isatty() and not quiet
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not self._shown,
            transient=True,
            redirect_stdout=False,  # standard output may be a pipe that takes sound or JSON
            redirect_stderr=False,
        )
        self._rows: dict[Task, tuple[TaskID, float]] = {}
        self._all: TaskID | None = None
        self._started = time.monotonic()
        self._seconds = 0.0
        self._files = 0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bars.stop()
        if self._shown and kind is None and self._files:
            speed = self._speed(self._seconds, self._started)
            sys.stderr.write(f"{self._files} of {self._bars.tasks[0].total:g} files, {self._seconds:.1f} s: {speed}\n")

    def expect(self, files: int) -> None:
        """Say how many files there will be."""
        self._all = self._bars.add_task("all files", total=files, speed="")

    def say(self, sentence: str) -> None:
        """Print a sentence to standard error, above the bars."""
        if self._shown:
            self._bars.console.print(sentence, markup=False, highlight=False, soft_wrap=True)
        else:
            print(sentence, file=sys.stderr)

    def show(self, task: Task | None, event: Step | Result) -> Result | None:
        """Draw an event; returns it if it ends a file."""
        if isinstance(event, Step):
            if task is not None and self._shown:
                self._step(task, event)
            return None
        self._finish(task, event)
        return event

    def _step(self, task: Task, step: Step) -> None:
        if task not in self._rows:
            row = self._bars.add_task(escape(printable(task.shown_input)), total=step.seconds_in_all, speed="")
            self._rows[task] = row, time.monotonic()
        row, since = self._rows[task]
        speed = self._speed(step.seconds_done, since)
        self._bars.update(row, completed=step.seconds_done, total=step.seconds_in_all, speed=speed)

    def _finish(self, task: Task | None, result: Result) -> None:
        if task in self._rows:
            self._bars.remove_task(self._rows.pop(task)[0])
        self._seconds += result.seconds
        self._files += result.error is None
        if self._all is not None:
            self._bars.update(self._all, advance=1, speed=self._speed(self._seconds, self._started))

    @staticmethod
    def _speed(seconds: float, since: float) -> str:
        return f"{seconds / max(time.monotonic() - since, 1e-9):.1f} x real time"
