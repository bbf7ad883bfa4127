"""From what was typed to pairs of input and output file."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vcfx.errors import AudioFileError

from .formats import AUDIO_EXTENSIONS, can_write, extension_of, format_named

_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Job:
    """One file to convert into another."""

    source: Path
    target: Path


@dataclass(slots=True)
class Plan:
    """What is to be done, and what cannot be.

    Parameters
    ----------
    jobs
        In the order of the inputs.
    refused
        (input, one sentence) for each input that leads to no file.
    """

    jobs: list[Job] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def plan_jobs(inputs: list[str], output: str | None, format_name: str | None, label: str) -> Plan:
    """Find the input files and name the outputs.

    Parameters
    ----------
    inputs
        Files, folders, and patterns that the shell did not expand.
    output
        A file for one input file, a folder for several or for a folder; None puts ``NAME.LABEL.EXT`` beside each input.
    format_name
        Of the outputs; None keeps each input's.
    label
        The preset's name.
    """
    extension = format_named(format_name).extension if format_name else None
    plan = Plan()
    paths = list(_expanded(inputs, plan))
    to_folder = output is not None and _is_folder(output, paths)
    for path in paths:
        if path.is_dir():
            root = Path(output) if output is not None else None
            _plan_folder(plan, path, root, extension, label)
        elif output is None:
            plan.jobs.append(Job(path, path.with_name(_labelled(path, extension, label))))
        elif to_folder:
            plan.jobs.append(Job(path, Path(output) / _renamed(path, extension)))
        else:
            plan.jobs.append(Job(path, Path(output)))
    _refuse_clashes(plan)
    return plan


def _expanded(inputs: list[str], plan: Plan) -> Iterator[Path]:
    for text in inputs:
        if not _WILDCARDS.isdisjoint(text) and not os.path.lexists(text):
            found = sorted(glob.glob(text, recursive=True))
            if not found:
                plan.refused.append((text, f"no file matches '{text}'"))
            yield from map(Path, found)
        else:
            yield Path(text)


def _is_folder(output: str, paths: list[Path]) -> bool:
    if output.endswith(tuple(filter(None, (os.sep, os.altsep)))) or Path(output).is_dir():
        return True
    several = len(paths) > 1 or any(path.is_dir() for path in paths)
    if several and (Path(output).exists() or can_write(extension_of(Path(output)))):
        raise AudioFileError(f"'{output}' is a file name, but several inputs need a folder")
    return several


def _renamed(path: Path, extension: str | None) -> str:
    kept = path.suffix[1:] if can_write(extension_of(path)) else "wav"
    return f"{path.stem}.{extension or kept}"


def _labelled(path: Path, extension: str | None, label: str) -> str:
    renamed = Path(_renamed(path, extension))
    return f"{renamed.stem}.{label}{renamed.suffix}"


def _plan_folder(plan: Plan, folder: Path, root: Path | None, extension: str | None, label: str) -> None:
    """Add every sound file below `folder`, mirrored under `root` or labelled beside itself."""
    found = False
    for path in _sound_files(folder, root, plan):
        if root is None and path.stem.endswith(f".{label}"):
            continue  # an output of an earlier run
        found = True
        beside = path.with_name(_labelled(path, extension, label))
        target = beside if root is None else root / path.relative_to(folder).with_name(_renamed(path, extension))
        plan.jobs.append(Job(path, target))
    if not found:
        plan.refused.append((str(folder), f"{folder} holds no sound files"))


def _sound_files(folder: Path, skipped: Path | None, plan: Plan) -> Iterator[Path]:
    """Walk in order, through links but into each folder once; not into the output folder."""
    seen: set[tuple[int, int]] = set()
    if skipped is not None and skipped.is_dir() and not skipped.samefile(folder):
        seen.add(_identity(skipped))

    def unreadable(error: OSError) -> None:
        plan.refused.append((str(error.filename), f"{error.filename} cannot be read: {error.strerror}"))

    for here, folders, names in os.walk(folder, followlinks=True, onerror=unreadable):
        identity = _identity(Path(here))
        if identity in seen:
            folders.clear()
            continue
        seen.add(identity)
        folders.sort()
        for name in sorted(names):
            path = Path(here) / name
            if extension_of(path) in AUDIO_EXTENSIONS and not name.startswith("."):
                yield path


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _refuse_clashes(plan: Plan) -> None:
    """Refuse a second job with the same output, and one whose output is another's input."""
    sources = {os.path.realpath(job.source) for job in plan.jobs}
    taken: dict[str, Path] = {}
    kept = []
    for job in plan.jobs:
        real = os.path.realpath(job.target)
        if real in taken:
            reason = f"{job.source} would become {job.target}, as {taken[real]} does"
        elif real in sources:
            reason = f"{job.source} would become {job.target}, which is an input"
        else:
            taken[real] = job.source
            kept.append(job)
            continue
        plan.refused.append((str(job.source), reason))
    plan.jobs = kept
