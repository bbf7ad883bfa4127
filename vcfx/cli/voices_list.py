"""`vcfx voices list` and `show`: whose voices they are, what may be done with them, and until when."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

from vcfx.errors import printable

if TYPE_CHECKING:
    from vcfx_models.papers.bundle import Papers
    from vcfx_models.voice_file import Voice
    from vcfx_models.voice_library import VoiceInfo

WIDTH_WITHOUT_TERMINAL: Final = 100
HEADINGS: Final = ("name", " Hz", "whose", "consent", "until", "uses", "signed by", "status")
GAP: Final = "  "
_SEMITONES_PER_LOG: Final = 12.0 / 0.693147
_ISSUERS: Final = {"own": "you", "publisher": "vcfx", "trusted": "trusted", "unknown": "unknown"}


def run(options: argparse.Namespace) -> int:
    """List the voices, or show one."""
    return _list(options.json) if options.action == "list" else _show(options.voice, options.json)


def facts_of(voice: Voice) -> dict[str, object]:
    """Return what a person may want to know of a voice, its papers aside."""
    spread_semitones = round(_SEMITONES_PER_LOG * voice.f0_log_spread, 2)
    facts: dict[str, object] = {"title": voice.name, "median_hz": round(voice.median_hz, 1)}
    return facts | {"pitch_spread_semitones": spread_semitones, **voice.metadata}


def papers_of(papers: Papers) -> dict[str, object]:
    """Return what the papers say, and how their issuer stands here."""
    from vcfx_models.papers.trust import standing

    consent = papers.consent
    return {
        "voice_id": papers.voice_id,
        "consent": consent.consent_id,
        "speaker": consent.speaker,
        "basis": consent.basis,
        "uses": list(consent.uses),
        "purpose": consent.purpose,
        "given_at": consent.given_at,
        "until": consent.until,
        "statement": consent.statement,
        "statement_sha256": consent.statement_sha256,
        "audio_sha256": list(consent.audio_sha256),
        "liveness": consent.liveness,
        "issuer": papers.issuer.fingerprint,
        "issuer_name": papers.issuer_name,
        "issuer_standing": standing(papers.issuer),
        "issued_at": papers.issued_at,
    }


def print_facts(facts: dict[str, object], file: Any = None) -> None:
    """Print names and values in line, long values folded; what is empty is left out."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in facts.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        if text:
            table.add_row(Text(key), Text(printable(text)))
    stream = file or sys.stdout
    width = None if stream.isatty() else WIDTH_WITHOUT_TERMINAL
    Console(file=stream, width=width, highlight=False).print(table)


def _list(as_json: bool) -> int:
    from vcfx_models.voice_library import list_voices, user_voices_folder

    found = list_voices()
    if as_json:
        print(json.dumps([_listed(info) for info in found], indent=2))
        return 0
    if found:
        _print_table(found)
    else:
        print("No voice is installed; make one of recordings: vcfx voices enroll NAME CLIP")
    print(f"\nYour own voices belong in {printable(str(user_voices_folder()))}")
    return 0


def _listed(info: VoiceInfo) -> dict[str, object]:
    from vcfx_models.enrolment.voice_status import status_of

    facts: dict[str, object] = {"name": info.name, "origin": info.origin, "file": str(info.path)}
    facts["status"] = status_of(info)
    if info.voice is None or info.voice.papers is None:
        return facts | {"damaged": info.problem}
    return facts | facts_of(info.voice) | papers_of(info.voice.papers) | {"refused": dict(info.refused)}


def _print_table(found: list[VoiceInfo]) -> None:
    from rich.console import Console
    from rich.text import Text

    from vcfx_models.enrolment.voice_status import USABLE

    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL, highlight=False)
    rows = [[printable(cell) for cell in _cells(info)] for info in found]
    lines = fitted([list(HEADINGS), *rows], console.width)
    console.print(Text(lines[0].rstrip(), "bold"), no_wrap=True)
    for line, row in zip(lines[1:], rows, strict=True):
        console.print(Text(line.rstrip(), "" if row[-1] == USABLE else "yellow"), no_wrap=True)
    for info, row in zip(found, rows, strict=True):
        if row[-1] != USABLE:
            reason = info.problem or f"{info.name}: {next(iter(info.refused.values()))}"
            console.print(printable(reason), markup=False, soft_wrap=True)


def fitted(rows: list[list[str]], width: int) -> list[str]:
    """Return the rows as lines of at most `width` cells: the widest column but the last gives way, a cell at a time."""
    from rich.cells import cell_len, set_cell_size

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    room = width - len(GAP) * (len(widths) - 1)
    while sum(widths) > room and max(widths[:-1]) > 1:
        widths[widths.index(max(widths[:-1]))] -= 1
    lines = []
    for row in rows:
        cells = [
            set_cell_size(cell, size) if cell_len(cell) <= size else set_cell_size(cell, size - 1) + "…"
            for cell, size in zip(row, widths, strict=True)
        ]
        lines.append(GAP.join(cells))
    return lines


def _cells(info: VoiceInfo) -> list[str]:
    from vcfx_models.enrolment.voice_status import status_of
    from vcfx_models.papers.consent import USES
    from vcfx_models.papers.trust import standing

    status = status_of(info)
    if info.voice is None or info.voice.papers is None:
        return [info.name, "", "", "", "", "", "", status]
    papers = info.voice.papers
    consent = papers.consent
    return [
        info.name,
        f"{info.voice.median_hz:3.0f}",
        consent.speaker,
        f"{consent.basis}, live" if consent.liveness == "passed" else consent.basis,
        consent.until[:10] or "-",
        "all" if consent.uses == USES else " ".join(consent.uses),
        _ISSUERS[standing(papers.issuer)],
        status,
    ]


def _show(name: str, as_json: bool) -> int:
    from vcfx_models.enrolment.voice_status import status_of

    info = _info_of(name)
    assert info.voice is not None
    facts: dict[str, object] = {"file": str(info.path), "status": status_of(info)} | facts_of(info.voice)
    if info.voice.papers is not None:
        facts |= papers_of(info.voice.papers)
    if as_json:
        print(json.dumps(facts | {"refused": dict(info.refused)}, indent=2))
        return 0
    print_facts(facts)
    for use, reason in info.refused.items():
        print(printable(f"not for {use}: {reason}"))
    return 0


def _info_of(name: str) -> VoiceInfo:
    """Return what a list would show of one voice; a damaged one is an error here."""
    from vcfx_models.papers.admission import refusal
    from vcfx_models.papers.consent import USES
    from vcfx_models.voice_library import VOICES_FOLDER, VoiceInfo, voice_path
    from vcfx_models.voice_on_disk import load_voice

    path = voice_path(name)
    voice = load_voice(path)
    assert voice.papers is not None
    reasons = {use: refusal(voice.papers, use) for use in USES}
    origin: Literal["user", "vcfx"] = "vcfx" if path.parent == VOICES_FOLDER else "user"
    return VoiceInfo(path.stem, origin, path, voice, refused={use: why for use, why in reasons.items() if why})
