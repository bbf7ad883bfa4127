"""The rows of a run summed up into named figures with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from .intervals import estimate

Row = Mapping[str, Any]
Figures = dict[str, dict[str, Any]]

#: name of a figure -> recogniser, whose edits (added: output less source), which edits, over what
RATES: Final = {
    f"{rate}_{side}{suffix}": (recogniser, side, kind, count)
    for recogniser, suffix in (("base", ""), ("tiny.en", "_tiny"))
    for rate, kind, count in (("wer", "word_edits", "words"), ("cer", "sign_edits", "signs"))
    for side in ("output", "source", "added")
}
MEANS: Final = (
    "ge2e_target",
    "ge2e_source",
    "ge2e_nearer_target",
    "dvector_target",
    "dvector_source",
    "dvector_nearer_target",
    "dnsmos_ovrl",
    "dnsmos_sig",
    "dnsmos_bak",
    "f0_correlation",
    "f0_correlation_steady",
    "f0_correlation_second",
    "voicing_agreement",
    "lag_ms",
)


def figures_of(rows: Sequence[Row]) -> Figures:
    """Return every figure that the rows allow, each with mean, bounds and count."""
    found: Figures = {}
    for name, (recogniser, side, kind, count) in RATES.items():
        _add(found, name, rows, _edits(recogniser, side, kind), count)
    _add(found, "phoneme_changes", rows, _field("phoneme_edits"), "phonemes")
    for name in MEANS:
        _add(found, name, rows, _field(name))
    _add(found, "level_change_db", rows, lambda row: row["level_out_db"] - row["level_in_db"])
    return found


def figures_by_set(rows: Sequence[Row]) -> dict[str, Figures]:
    """Return the figures of each set of sources apart."""
    sets = sorted({row["set"] for row in rows})
    return {name: figures_of([row for row in rows if row["set"] == name]) for name in sets}


def _field(name: str) -> Callable[[Row], float | None]:
    return lambda row: row.get(name)


def _edits(recogniser: str, side: str, kind: str) -> Callable[[Row], float | None]:
    """Edits of the output, of the source, or by how many the output has more."""

    def edits(row: Row) -> float | None:
        output, source = (row.get(f"{recogniser}_{which}_{kind}") for which in ("output", "source"))
        if output is None or source is None:
            return None
        return float({"output": output, "source": source, "added": output - source}[side])

    return edits


def _add(
    found: Figures, name: str, rows: Sequence[Row], value: Callable[[Row], float | None], weight: str | None = None
) -> None:
    pairs = [(measured, 1.0 if weight is None else row[weight]) for row in rows if (measured := value(row)) is not None]
    summed = estimate([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    if summed is not None:
        found[name] = {key: round(part, 4) for key, part in asdict(summed).items()}
