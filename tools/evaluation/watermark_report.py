"""The report on the mark: tables from the JSON files of runs, and pictures beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from vcfx_dsp.watermark.detector import FALSE_FINDS, least_score

from .packages import package

Record = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]
SURE_ENOUGH: Final = 0.99
TEXT: Final = Path(__file__).with_name("watermark_report.md")


def write_report(path: Path, records: Sequence[Record], before: Sequence[Record] = ()) -> None:
    """Write the Markdown file, and its pictures into ``report/`` beside it.

    Parameters
    ----------
    path
        The file.
    records
        What was measured.
    before
        The same attacks on the same pieces, with the network before this one.
    """
    folder = path.parent / "report"
    folder.mkdir(exist_ok=True)
    parts = {
        "unmarked": _unmarked(records),
        "attacks": _attacks(records, 2.0, 100.0),
        "short": _attacks(records, 0.0, 1.99),
        "strength": _strength(records),
        "sure": _sure(records),
        "quality": _quality(records),
        "before": _before(before, records),
        "false_finds": f"{FALSE_FINDS:g}",
        "least_score": f"{least_score(1):.2f}",
        "revisions": ", ".join(sorted({record["revision"] for record in records})),
    }
    _draw_unmarked(folder / "watermark_unmarked.png", records)
    _draw_strength(folder / "watermark_strength.png", records)
    text = TEXT.read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace(f"{{{{{name}}}}}", part)
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _of(records: Sequence[Record], *what: str) -> list[Record]:
    return [record for record in records if record["what"] in what]


def _is_found(row: Mapping[str, Any], marker: str) -> bool:
    """By the score, so that runs made before the threshold moved count alike."""
    if marker == "perth":
        return bool(row["found"])
    return bool(row["found"]) if row.get("seconds", 2.0) > 2.0 else bool(row["score"] >= least_score(1))


def interval(count: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Clopper and Pearson)."""
    beta = package("scipy.stats").beta
    low = float(beta.ppf(0.025, count, total - count + 1)) if count else 0.0
    high = float(beta.ppf(0.975, count + 1, total - count)) if count < total else 1.0
    return low, high


def _share(hits: Iterable[bool]) -> str:
    known = list(hits)
    if not known:
        return "-"
    low, high = interval(sum(known), len(known))
    return f"{100 * sum(known) / len(known):.0f} [{100 * low:.0f}, {100 * high:.0f}]"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines])


def _unmarked(records: Sequence[Record]) -> str:
    lines = []
    runs = _of(records, "unmarked")
    for marker in sorted({run["marker"] for run in runs}):
        rows = [row for run in runs if run["marker"] == marker for row in run["rows"]]
        kinds = dict.fromkeys(row["kind"] for row in rows)
        for kind in [*kinds, "all"]:
            some = [row for row in rows if kind in (row["kind"], "all")]
            found = sum(_is_found(row, marker) for row in some)
            low, high = interval(found, len(some))
            highest = max(row["score"] for row in some)
            rate = f"{found / len(some):.1e} [{low:.1e}, {high:.1e}]"
            lines.append([f"{marker}: {kind}", str(len(some)), str(found), rate, f"{highest:.2f}"])
    return _table(["2 s pieces of", "pieces", "found", "rate [95 %]", "highest score"], lines)


def _attacks(records: Sequence[Record], shortest_s: float, longest_s: float) -> str:
    columns: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for run in _of(records, "attacks", "conversions", "removal"):
        for row in run["rows"]:
            if shortest_s <= row["seconds"] <= longest_s:
                columns.setdefault((run["marker"], row["seconds"]), []).append(row)
    order = sorted(columns)
    names = list(dict.fromkeys(row["attack"] for rows in columns.values() for row in rows))
    lines = []
    for name in names:
        cells = [name]
        for marker, seconds in order:
            rows = [row for row in columns[marker, seconds] if row["attack"] == name]
            cells.append(_share(_is_found(row, marker) for row in rows))
            if marker == "ours":
                cells.append(_share(_is_found(row, marker) and row.get("right", False) for row in rows))
        lines.append(cells)
    head = ["after"]
    for marker, seconds in order:
        head.append(f"{marker}, {seconds:g} s: found, %")
        if marker == "ours":
            head.append("payload right, %")
    return _table(head, lines)


def _strengths(records: Sequence[Record], what: str) -> dict[float, list[Mapping[str, Any]]]:
    found: dict[float, list[Mapping[str, Any]]] = {}
    for run in _of(records, what):
        if run["marker"] == "ours":
            found.setdefault(run["strength_db"], []).extend(run["rows"])
    return dict(sorted(found.items()))


def _sure(records: Sequence[Record]) -> str:
    rows = [row for record in records if record["marker"] == "ours" for row in record["rows"]]
    told = [row for row in rows if row.get("sure") is not None and "right" in row and _is_found(row, "ours")]
    sure = [row["right"] for row in told if row["sure"] >= SURE_ENOUGH]
    unsure = [row["right"] for row in told if row["sure"] < SURE_ENOUGH]
    return (
        f"Of {len(told)} finds after all attacks here, the noises of the ladder below among them,\n{len(sure)} claimed "
        f"{100 * SURE_ENOUGH:.0f} % or more, and {sum(sure)} of these were right; "
        f"of the other {len(unsure)}, {sum(unsure)}."
    )


def _strength(records: Sequence[Record]) -> str:
    noise, quality = _strengths(records, "noise"), _strengths(records, "quality")
    ladder = sorted({float(row["attack"]) for rows in noise.values() for row in rows}, reverse=True)
    lines = []
    for strength_db, rows in noise.items():
        cells = [f"{strength_db:g}"]
        for snr_db in ladder:
            some = [row for row in rows if float(row["attack"]) == snr_db]
            found = sum(_is_found(row, "ours") for row in some)
            cells.append(f"{np.mean([row['score'] for row in some]):.1f}, {found}/{len(some)}")
        known = quality.get(strength_db, [])
        cells.append(f"{np.mean([row['pesq'] for row in known]):.2f}" if known else "-")
        lines.append(cells)
    return _table(["strength, dB", *(f"noise {snr_db:g} dB: mean score, found" for snr_db in ladder), "PESQ"], lines)


def _quality(records: Sequence[Record]) -> str:
    lines = []
    for run in sorted(_of(records, "quality"), key=lambda run: (run["marker"], run["strength_db"])):
        pesq = [row["pesq"] for row in run["rows"]]
        snr_db = [row["snr_db"] for row in run["rows"]]
        name = f"ours, {run['strength_db']:g} dB" if run["marker"] == "ours" else run["marker"]
        spread = f"{np.quantile(pesq, 0.1):.2f}"
        lines.append([name, str(len(pesq)), f"{np.mean(pesq):.2f}", spread, f"{np.mean(snr_db):.1f}"])
    return _table(["mark", "pieces", "PESQ (wide band)", "worst tenth", "SNR, dB"], lines)


def _before(before: Sequence[Record], records: Sequence[Record]) -> str:
    """Compare two networks, piece by piece of those that both saw."""
    earlier, present = (
        {(row["attack"], row["seconds"], row["piece"]): row for run in _of(runs, "attacks") for row in run["rows"]}
        for runs in (before, [record for record in records if record["marker"] == "ours"])
    )
    both = [place for place in earlier if place in present]
    lines = []
    for attack in dict.fromkeys(attack for attack, _, _ in both):
        pairs = [(earlier[place], present[place]) for place in both if place[0] == attack]
        lines.append([attack, *(_told_twice(pairs, column) for column in ("found", "right", "score"))])
    return _table(["after", "found: before, now", "payload right: before, now", "mean score: before, now"], lines)


def _told_twice(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], column: str) -> str:
    told = []
    for rows in zip(*pairs, strict=True):
        found = [row for row in rows if _is_found(row, "ours")]
        if column == "score":
            told.append(f"{np.mean([row['score'] for row in rows]):.2f}")
        else:
            told.append(f"{len(found) if column == 'found' else sum(row['right'] for row in found)}/{len(rows)}")
    return ", ".join(told)


def _saved(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    package("matplotlib.pyplot").close(figure)


def _axes() -> tuple[Any, Any]:
    package("matplotlib").use("Agg")
    figure, axes = package("matplotlib.pyplot").subplots(figsize=(7, 4))
    return figure, axes


def _draw_unmarked(path: Path, records: Sequence[Record]) -> None:
    """The share of unmarked windows above a score, beside what the detector's confidence assumes."""
    figure, axes = _axes()
    for run in _of(records, "unmarked"):
        if run["marker"] == "ours":
            scores = np.sort([row["score"] for row in run["rows"]])
            axes.semilogy(scores, 1 - np.arange(scores.size) / scores.size, label=f"{scores.size} unmarked pieces")
    assumed = [least_score(1) + step for step in (-1.4, 0.3)]
    rates = [FALSE_FINDS * 10 ** ((least_score(1) - score) / (least_score(10) - least_score(1))) for score in assumed]
    axes.semilogy(assumed, rates, "k--", label="assumed for the confidence")
    axes.axvline(least_score(1), color="grey", linestyle=":", label="found from here on")
    axes.set(xlabel="score of 2 s", ylabel="share above it", xlim=(5.5, 8.5), ylim=(FALSE_FINDS / 3, 1.2))
    axes.legend()
    _saved(figure, path)


def _draw_strength(path: Path, records: Sequence[Record]) -> None:
    """Detection against strength of attack: how many pieces are found as noise grows, by strength of the mark."""
    figure, axes = _axes()
    for strength_db, rows in _strengths(records, "noise").items():
        ladder = sorted({float(row["attack"]) for row in rows})
        shares = [np.mean([_is_found(r, "ours") for r in rows if float(r["attack"]) == snr]) for snr in ladder]
        axes.plot(ladder, 100 * np.array(shares), "o-", label=f"mark of {strength_db:g} dB")
    axes.set(xlabel="white noise below the speech by, dB", ylabel="found in 2 s, %", ylim=(-3, 103))
    if not math.isinf(axes.dataLim.x0):
        axes.legend()
    _saved(figure, path)
