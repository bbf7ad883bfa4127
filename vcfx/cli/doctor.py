"""`vcfx doctor`: say what is missing and how to mend it.

Prints plain text: it must work where packages are missing.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from typing import Final

from vcfx.doctor.check import Check, Need

LABELS: Final = {"ok": "OK", "missing": "missing", "optional": "optional"}
EXIT_NOT_READY: Final = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "Exit code 0 if files can be converted, 1 if something that this needs is missing."
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(options: argparse.Namespace) -> int:
    """Examine the machine and print what was found."""
    from vcfx.doctor.examination import examine

    checks = examine()
    if options.json:
        ready = {f"{job}_ready": is_ready(checks, job) for job in ("files", "live")}
        print(json.dumps(ready | {"checks": [dataclasses.asdict(check) for check in checks]}, indent=2))
    else:
        print(report(checks))
    return 0 if is_ready(checks, "files") else EXIT_NOT_READY


def is_ready(checks: Sequence[Check], job: Need) -> bool:
    """Say whether nothing is missing for `job`; live needs what files need, too."""
    needs = {"files"} if job == "files" else {"files", job}
    return not any(check.status == "missing" and check.need in needs for check in checks)


def report(checks: Sequence[Check]) -> str:
    """Return the text for people: one line a check, below it the command that mends it."""
    width = max(len(check.name) for check in checks)
    indent = " " * (max(map(len, LABELS.values())) + width + 4)
    lines = []
    for check in checks:
        lines.append(f"{LABELS[check.status]:<8}  {check.name:<{width}}  {check.detail}")
        if check.mend:
            lines.append(f"{indent}mend: {check.mend}")
    return "\n".join([*lines, "", *_summary(checks)])


def _summary(checks: Sequence[Check]) -> list[str]:
    lines = []
    for title, job in (("Files", "files"), ("Live", "live")):
        lacking = [check.name for check in checks if check.status == "missing" and check.need in ("files", job)]
        lines.append(f"{title + ':':<6} " + (f"not ready, for lack of {', '.join(lacking)}" if lacking else "ready"))
    return lines
