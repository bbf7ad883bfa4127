"""Many inputs at once: planned, converted in worker processes, reported one by one."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from vcfx.errors import AudioFileError, VcfxError

from .conversion import ConvertOptions, check_target
from .plan import Job, Plan, plan_jobs
from .pool import WorkerPool
from .renderer import RendererSource
from .result import Result
from .standard_streams import DASH, is_stream, pour, refuse_terminal_output, shown, spool
from .target import part_beside
from .worker import Progress, Task


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What to convert.

    Parameters
    ----------
    inputs
        Files, folders, patterns, or `-`.
    output
        A file, a folder, `-`, or None for beside each input.
    options
        For every file.
    label
        Goes into the names of outputs beside their inputs.
    workers
        Processes at a time.
    """

    inputs: list[str]
    output: str | None
    options: ConvertOptions
    label: str
    workers: int = 1


#: Called with the number of files, before the first of them.
OnCount = Callable[[int], None]
Event = tuple[Task, Progress] | tuple[Task | None, Result]


def convert_batch(request: BatchRequest, renderers: RendererSource, on_count: OnCount) -> Generator[Event]:
    """Convert everything; yields progress, and one `Result` for each input that was found or refused.

    Close the iterator to stop the workers at once and to remove what is half done.
    """
    with tempfile.TemporaryDirectory(prefix="vcfx-") as name:
        plan = _planned(request)
        on_count(len(plan.jobs) + len(plan.refused))
        for shown_input, reason in plan.refused:
            yield None, _refused(request, shown_input, "", reason)
        tasks = []
        for job in plan.jobs:
            try:
                tasks.append(_task(job, request, Path(name)))
            except AudioFileError as error:
                yield None, _refused(request, str(job.source), str(job.target), str(error))
        with WorkerPool(tasks, renderers, request.workers) as pool, contextlib.closing(pool.events()) as events:
            for index, event in events:
                task = tasks[index]
                if isinstance(event, Progress):
                    yield task, event
                    continue
                if task.shown_output == DASH and event.error is None:
                    pour(task.target)
                yield task, event


def _planned(request: BatchRequest) -> Plan:
    inputs, output, options = request.inputs, request.output, request.options
    if DASH not in inputs and output != DASH:
        return plan_jobs(inputs, output, options.format, request.label)
    if len(inputs) > 1:
        raise VcfxError("'-' must be the only input, and '-o -' takes one input")
    if output in (None, DASH):
        refuse_terminal_output()
        output = DASH
    if Path(inputs[0]).is_dir() or Path(str(output)).is_dir():
        raise VcfxError("'-' stands for one file; the other side must be a file too")
    return Plan([Job(Path(inputs[0]), Path(str(output)))])


def _task(job: Job, request: BatchRequest, folder: Path) -> Task:
    options, source, target = request.options, job.source, job.target
    if str(target) == DASH:
        target = folder / f"output.{options.format or 'wav'}"
    else:
        check_target(source, target, options.force)
    if is_stream(source):
        source = spool(source, folder)
    return Task(source, target, part_beside(target), str(job.source), str(job.target), options)


def _refused(request: BatchRequest, shown_input: str, shown_output: str, reason: str) -> Result:
    name = shown(Path(shown_input))
    sentence = reason if name in reason or shown_output in reason else f"{name}: {reason}"
    return Result(shown_input, shown_output, request.options.preset, error=sentence, error_kind="refused")
