"""The comparison of two networks in the report on the mark."""

from __future__ import annotations

from typing import Any

from tools.evaluation.watermark_report import _before
from vcfx_dsp.watermark.detector import least_score

FOUND, MISSED = least_score(1) + 0.01, least_score(1) - 0.01


def run(marker: str, *rows: tuple[str, int, float, bool]) -> dict[str, Any]:
    names = ("attack", "piece", "score", "right")
    table = [dict(zip(names, row, strict=True)) | {"seconds": 2.0, "found": row[2] >= FOUND} for row in rows]
    return {"what": "attacks", "marker": marker, "rows": table}


def test_only_pieces_that_both_saw_are_compared() -> None:
    before = run("ours", ("noise", 0, MISSED, True), ("noise", 1, FOUND, True), ("noise", 2, 90.0, True))
    now = run("ours", ("noise", 0, FOUND, False), ("noise", 1, FOUND, True), ("room", 0, 90.0, True))
    perth = run("perth", ("noise", 2, 1.0, False))
    line = _before([before], [now, perth]).splitlines()[-1]
    assert line == f"| noise | 1/2, 2/2 | 1/2, 1/2 | {least_score(1):.2f}, {FOUND:.2f} |"


def test_nothing_to_compare_is_an_empty_table() -> None:
    assert len(_before([], [run("ours", ("noise", 0, FOUND, True))]).splitlines()) == 2
