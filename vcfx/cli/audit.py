"""`vcfx audit`: read, check and hand on the log of what was done with voices."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vcfx.errors import ControlError, ParameterError, printable

if TYPE_CHECKING:
    from rich.table import Table

    from vcfx_models.papers.audit import AuditEntry

WIDTH_WITHOUT_TERMINAL: Final = 100
EXIT_DAMAGED: Final = 2
_SPANS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
#: What has columns of its own, or tells people nothing.
_SHOWN_ELSEWHERE: Final = ("voice", "voice_id", "consent", "file")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--json", action="store_true", help="print JSON, for programs")
    listed = actions.add_parser("list", parents=[every], help="list what was enrolled, used, refused and revoked")
    listed.add_argument("--since", metavar="T", help="from then on: 2026-11-22, 2026-11-22T18:00, or 90m, 12h, 7d, 4w")
    listed.add_argument("--event", metavar="E", action="append", help="only such entries (used, refused, ...); repeats")
    listed.add_argument("--voice", metavar="V", help="only entries on a voice: its name, or the id that entries show")
    check = actions.add_parser("check", parents=[every], help="check that nothing was changed or taken out")
    check.add_argument("file", metavar="FILE", nargs="?", help="an export, from wherever; without: the log itself")
    export = actions.add_parser("export", parents=[every], help="write the whole log as text that anybody can check")
    export.add_argument("file", metavar="FILE", help="where to; - is standard output")


def run(options: argparse.Namespace) -> int:
    """Run one sub-command."""
    if options.action == "list":
        return _list(options)
    if options.action == "check":
        return _check_log(options.json) if options.file is None else _check_file(options.file, options.json)
    return _export(options.file, options.json)


def _list(options: argparse.Namespace) -> int:
    from vcfx_models.errors import ConsentError
    from vcfx_models.papers.audit import check_chain, log_path

    found = list(_chosen(options))
    if options.json:
        print(json.dumps([dataclasses.asdict(entry) for entry in found], indent=2))
    elif not found:
        print(f"There are no such entries in {log_path()}")
    else:
        _show(found)
    try:
        check_chain()
    except ConsentError as error:
        print(f"vcfx: {printable(str(error))}", file=sys.stderr)
        return EXIT_DAMAGED
    return 0


def _chosen(options: argparse.Namespace) -> Iterator[AuditEntry]:
    from vcfx_models.papers.audit import entries
    from vcfx_models.papers.consent import format_time

    since = "" if options.since is None else format_time(moment(options.since, datetime.now(UTC)))
    for entry in entries():
        named = (entry.detail.get("voice"), entry.detail.get("voice_id"))
        if entry.at < since or (options.event and entry.event not in options.event):
            continue
        if options.voice is None or options.voice in named:
            yield entry


def moment(text: str, now: datetime) -> datetime:
    """Return the time that a person means: a date, a date and time (UTC), or how long ago.

    Raises
    ------
    ParameterError
        If it is none of them.
    """
    ago = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    try:
        if ago:
            return now - timedelta(**{_SPANS[ago[2]]: int(ago[1])})
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ParameterError(
            f"--since is {text[:40]!r}; allowed: 2026-11-22, 2026-11-22T18:00 (UTC), or 90m, 12h, 7d, 4w"
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _show(found: Sequence[AuditEntry]) -> None:
    from rich.console import Console

    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else WIDTH_WITHOUT_TERMINAL, highlight=False)
    if terminal and len(found) > console.height:
        with console.pager():  # without styles: not every pager knows what to do with them
            console.print(_table(found))
    else:
        console.print(_table(found))


def _table(found: Sequence[AuditEntry]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), header_style="bold")
    table.add_column("", justify="right", style="dim", no_wrap=True)
    for heading in ("when (UTC)", "what"):
        table.add_column(heading, no_wrap=True)
    table.add_column("voice", overflow="fold", max_width=24)
    table.add_column("", overflow="fold")
    for entry in found:
        table.add_row(*(Text(printable(cell)) for cell in _cells(entry)))
    return table


def _cells(entry: AuditEntry) -> tuple[str, ...]:
    detail = entry.detail
    when = entry.at.replace("T", " ").removesuffix("Z")
    rest = [f"{key.replace('_', ' ')}: {_plain(value)}" for key, value in detail.items() if _is_news(key, value)]
    return str(entry.number), when, entry.event, str(detail.get("voice", "")), "; ".join(rest)


def _is_news(key: str, value: object) -> bool:
    return key not in _SHOWN_ELSEWHERE and value not in ("", [])


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _check_log(as_json: bool) -> int:
    from vcfx_models.papers.audit import check_chain, log_path
    from vcfx_models.papers.keys import own_key

    count, key = check_chain(), own_key()
    signer = None if key is None else key.public.fingerprint
    _say_whole(str(log_path()), count, signer, as_json)
    return 0


def _check_file(file: str, as_json: bool) -> int:
    from vcfx_models.papers.audit_export import check_lines

    try:
        with open(file, encoding="utf-8", newline="\n") as lines:
            checked = check_lines(lines, file)
    except UnicodeDecodeError:
        raise ControlError(f"{file}: is no export of an audit log") from None
    except OSError as error:
        raise ControlError(f"{file}: cannot be read: {error.strerror or error}") from None
    _say_whole(file, checked.entries, checked.signer.fingerprint if checked.signer else None, as_json)
    return 0


def _say_whole(file: str, count: int, signer: str | None, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"file": file, "entries": count, "signed_by": signer}, indent=2))
        return
    signed = f"signed by the installation {signer}" if signer else "signed by nobody, as there is no key yet"
    entries = "1 entry" if count == 1 else f"{count} entries"
    print(printable(f"{file}: {entries}, none changed, none missing, {signed}"))


def _export(file: str, as_json: bool) -> int:
    from vcfx_models.papers.audit_export import exported_lines
    from vcfx_models.whole_file import replace_file

    lines = list(exported_lines())
    content = "".join(f"{line}\n" for line in lines)
    if file == "-":
        sys.stdout.write(content)
        return 0
    path = Path(file)
    if path.exists():
        raise ControlError(f"'{file}' exists already; give the export another name")
    try:
        replace_file(path, content.encode())
    except OSError as error:
        raise ControlError(f"'{file}' cannot be written: {error.strerror or error}") from None
    if as_json:
        print(json.dumps({"file": file, "entries": len(lines) - 1, "hash": json.loads(lines[-1])["hash"]}, indent=2))
    else:
        print(printable(f"{file}: {len(lines) - 1} entries; anybody can check them with: vcfx audit check {file}"))
    return 0
