"""Measure the mark: ``python tools/evaluate_watermark.py attacks --corpus DATA/real --out attacks.json``.

Needs the packages of tools/evaluation/requirements.txt, and PESQ and resemble-perth for what they are asked for. Speech
is of speakers whom the detector's network was not trained on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "dsp"), str(ROOT / "models")]

from tools.evaluation import watermark_runs as runs  # noqa: E402
from tools.evaluation.errors import EvaluationError  # noqa: E402
from tools.evaluation.run_record import git_revision  # noqa: E402
from vcfx_dsp.nodes.watermark import DEFAULT_STRENGTH_DB  # noqa: E402

WRITE_EVERY = 50


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("what", choices=("attacks", "conversions", "noise", "unmarked", "quality", "removal", "report"))
    add("--corpus", type=Path, help="folder with MANIFEST.tsv and one tar per set")
    add("--noise", type=Path, help="folder with MANIFEST.tsv and noise.tar")
    add("--converted", type=Path, nargs="*", default=[], help="folders with conversions that carry no mark")
    add("--synthetic", type=Path, nargs="*", default=[], help="tars with synthetic speech")
    add("--marker", choices=("ours", "perth"), default="ours")
    add("--strength-db", type=float, default=DEFAULT_STRENGTH_DB)
    add("--seconds", type=float, nargs="+", default=[2.0])
    add("--count", type=int, default=100, help="how many pieces")
    add("--seed", type=int, default=1)
    add("--attack", nargs="*", default=[], help="only these")
    add("--kind", nargs="*", default=[], help="of unmarked sound only these")
    add("--keys", type=int, default=0, help="with unmarked: real speech alone, under so many drawn keys a piece")
    add("--out", type=Path, help="JSON file to write")
    add("--runs", type=Path, nargs="*", default=[], help="with report: the JSON files")
    add("--before", type=Path, nargs="*", default=[], help="with report: the same of the network before, to compare")
    add("--into", type=Path, default=ROOT / "models" / "WATERMARK.md", help="with report: the file to write")
    return parser


def _rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    corpus, count, seed, strength_db = options.corpus, options.count, options.seed, options.strength_db
    if options.what == "conversions":
        yield from runs.measure_conversions(corpus, options.seconds, count, seed, strength_db)
        return
    marker = runs.marker_named(options.marker, strength_db)
    if options.what == "unmarked" and options.keys:
        yield from runs.measure_other_keys(corpus, count, options.keys, seed)
        return
    if options.what == "unmarked":
        sources = runs.Sources(corpus, options.noise, options.converted, options.synthetic)
        yield from runs.measure_unmarked(marker, sources, count, options.kind)
        return
    if options.what == "noise":
        yield from runs.measure_noise(marker, corpus, count, seed)
        return
    for seconds in options.seconds:
        if options.what == "attacks":
            yield from runs.measure_attacks(marker, corpus, seconds, count, seed, options.attack)
        elif options.what == "quality":
            yield from runs.measure_quality(marker, corpus, seconds, count, seed)
        else:
            yield from runs.measure_removal(corpus, seconds, count, seed, strength_db)


def _write(path: Path, record: dict[str, Any]) -> None:
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_text(json.dumps(record), encoding="utf-8")
    temporary.replace(path)


def main() -> int:
    """Run one measurement or write the report; 2 where something is missing."""
    options = _parser().parse_args()
    if options.what == "report":
        from tools.evaluation.watermark_report import write_report

        records, before = ([json.loads(path.read_text()) for path in paths] for paths in (options.runs, options.before))
        write_report(options.into, records, before)
        return 0
    if options.corpus is None or options.out is None:
        print("evaluate_watermark: needs --corpus and --out", file=sys.stderr)
        return 2
    record: dict[str, Any] = {"what": options.what, "marker": options.marker, "strength_db": options.strength_db}
    record |= {"count": options.count, "seed": options.seed, "revision": git_revision(), "rows": []}
    try:
        for row in _rows(options):
            record["rows"].append(row)
            if len(record["rows"]) % WRITE_EVERY == 0:
                _write(options.out, record)
    except EvaluationError as error:
        print(f"evaluate_watermark: {error}", file=sys.stderr)
        return 2
    _write(options.out, record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
