"""One run as a JSON file: what was run, on what, and what came out."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import EvaluationError
from .figures import figures_by_set, figures_of
from .packages import versions

SCHEMA = 1
ROOT = Path(__file__).resolve().parents[2]


def run_record(
    system: str, protocol: Mapping[str, Any], command: str, rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the record of a run."""
    return {
        "schema": SCHEMA,
        "system": system,
        "command": command,
        "revision": git_revision(),
        "machine": machine(),
        "packages": versions(),
        "protocol": dict(protocol),
        "figures": figures_of(rows),
        "figures_by_set": figures_by_set(rows),
        "rows": list(rows),
    }


def git_revision() -> str:
    """Return the commit of the checkout, with a plus where tracked files differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = "+" if git("status", "--porcelain", "--untracked-files=no") else ""
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + changed


def machine() -> str:
    """Return processor, cores and load, in one line."""
    model = platform.machine()
    path = Path("/proc/cpuinfo")
    if path.is_file():
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} cores{load}"


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write under a temporary name, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


def read_record(path: Path) -> dict[str, Any]:
    """Read a run's file.

    Raises
    ------
    EvaluationError
        If it is missing or something else.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationError(f"cannot read the run '{path}': {error}") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise EvaluationError(f"'{path}' is not a run of this version (schema {SCHEMA})")
    return record
