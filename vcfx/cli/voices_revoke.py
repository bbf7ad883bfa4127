"""`vcfx voices revoke`: whoever gave consent may take it back, at once and without a reason."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from vcfx.errors import printable
from vcfx_models.data_folder import with_home


def run(options: argparse.Namespace) -> int:
    """End a consent."""
    from vcfx_models.enrolment.library_changes import own_path, remove_voice
    from vcfx_models.enrolment.withdrawal import withdraw

    if options.remove:
        own_path(options.voice)  # refused before anything is done
    export = with_home(Path(options.export)) if options.export else None
    done = withdraw(options.voice, options.reason, export)
    if options.remove:
        remove_voice(options.voice)
    if options.json:
        facts = {
            "consent": done.notice.consent_id,
            "revoked_at": done.notice.revoked_at,
            "reason": done.notice.reason,
            "voices": list(done.names),
            "removed": bool(options.remove),
            "notice": None if export is None else str(export),
        }
        print(json.dumps(facts, indent=2))
        return 0
    for line in _told(done.notice.consent_id, list(done.names), export, options.remove):
        print(printable(line))
    return 0


def _told(consent_id: str, names: list[str], export: Path | None, removed: bool) -> list[str]:
    silent = f"no longer usable: {', '.join(names)}" if names else "no voice here was enrolled with it"
    lines = [f"The consent {consent_id} is taken back for good; {silent}."]
    if removed:
        lines.append("The file is removed.")
    if export is not None:
        lines.append(f"{export}: the signed notice; others take it over with: vcfx voices import {export.name}")
    else:
        lines.append("Copies elsewhere go on until they import a notice: vcfx voices revoke NAME --export FILE")
    return lines
