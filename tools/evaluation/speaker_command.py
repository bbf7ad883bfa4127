"""The command line of ``tools/evaluate_speakers.py``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vcfx_models.errors import ModelError

from .cache import Cache
from .error_rates import difference, error_rates
from .errors import EvaluationError
from .run_record import git_revision, machine, write_json
from .speaker_encoders import Judge, KeptEncoder, ge2e_judge, student_judge
from .speaker_material import Person, held_out_noises, held_out_people, pieces_of
from .speaker_report import write_speaker_report
from .speaker_trials import least_likeness, trials_by_condition
from .two_speakers import DRAWS, KINDS, drawn_recordings, likeness_of_groups, refusals, refuses_one_speaker

DESCRIPTION = "Measures how often speaker encoders confuse people, and how many recordings of two people are refused."
SHIPPED = "shipped"
#: What the former rule was set to, and where it refuses about as many recordings of one person as the present one.
FORMER_THRESHOLDS = (0.7, 0.86)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit code: 0, or 2 where something is missing or wrong."""
    options = _parser().parse_args(arguments)
    try:
        record = _measured(options)
    except (EvaluationError, ModelError) as error:
        print(f"tools/evaluate_speakers.py: {error}", file=sys.stderr)
        return 2
    write_json(options.json, record)
    write_speaker_report(options.report, record)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tools/evaluate_speakers.py", description=DESCRIPTION)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder with real/ and noise/, each with MANIFEST.tsv and tars")
    add("--cache", type=Path, required=True, help="folder for embeddings; made if missing")
    add("--ge2e", type=Path, help="ge2e.onnx, written by tools.train.ge2e_export from Resemblyzer's weights")
    add("--trained", type=Path, help="folder with a speaker.onnx to lay beside the one that ships")
    add("--report", type=Path, default=Path("models/SPEAKERS.md"))
    add("--json", type=Path, default=Path("models/report/speakers.json"))
    add("--draws", type=int, default=DRAWS, help="recordings of each kind and length (default: %(default)s)")
    return parser


def _judges(options: argparse.Namespace, cache: Cache) -> list[Judge]:
    judges = [student_judge(SHIPPED, "the program's encoder: a student of GE2E on log-mel frames", None, cache)]
    if options.ge2e:
        judges.insert(0, ge2e_judge(options.ge2e, cache))
    if options.trained:
        meaning = "the same network, trained on by `train_ge2e` with noise and short crops"
        judges.append(student_judge("trained on", meaning, options.trained, cache))
    return judges


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    people = held_out_people(options.data / "real")
    pieces = list(pieces_of(people, held_out_noises(options.data / "noise")))
    cache = Cache(options.cache)
    judges = _judges(options, cache)
    record: dict[str, Any] = {
        "command": "tools/evaluate_speakers.py"
        + "".join(f" --{name} {getattr(options, name).name}" for name in ("ge2e", "trained") if getattr(options, name)),
        "revision": git_revision(),
        "machine": machine(),
        "encoders": {judge.name: judge.meaning for judge in judges},
    }
    vectors = {judge.name: [judge.vector(piece.audio) for piece in pieces] for judge in judges}
    for name, across in (("several_recordings", True), ("one_recording", False)):
        met = {judge: trials_by_condition(people, pieces, heard, across) for judge, heard in vectors.items()}
        record[name] = {
            judge: {condition: asdict(error_rates(some)) for condition, some in of_judge.items()}
            for judge, of_judge in met.items()
        }
        record[f"{name}_more_than_shipped"] = {
            judge: {condition: difference(some, met[SHIPPED][condition]) for condition, some in of_judge.items()}
            for judge, of_judge in met.items()
            if judge != SHIPPED
        }
    record["against_shipped"] = {
        judge.name: least_likeness(vectors, pieces, judge.name, SHIPPED) for judge in judges if judge.name != SHIPPED
    }
    record["two_speakers"] = _two_speakers(people, options.draws, KeptEncoder(cache))
    return record


def _two_speakers(people: Sequence[Person], draws: int, encoder: KeptEncoder) -> dict[str, Any]:
    """Return the share of refusals by the check of enrolment, and by the rule that it had before at two thresholds."""
    recordings = list(drawn_recordings(people, draws))
    checks = {"now": [refuses_one_speaker(recording.audio, encoder) for recording in recordings]}
    likeness = [likeness_of_groups(recording.audio, encoder) for recording in recordings]
    for least in FORMER_THRESHOLDS:
        checks[f"before, at {least:g}"] = [value < least for value in likeness]
    return {
        "kinds": list(KINDS),
        "note": f"Share that `check_one_speaker` refuses, with the shipped encoder; {draws} recordings of each kind "
        "and length, of the speakers above. Half of the mixtures are of one gender, all of one set where it has two. "
        "Before: cosine of the means of two groups of 3 s parts round the least alike pair; 0.7 is what it was set to. "
        "What is allowed now was chosen on these same speakers, which flatters the rates a little. A change of "
        "room or microphone moves the embeddings as one of the person does; each recording is checked alone.",
        "checks": {name: refusals(recordings, verdicts) for name, verdicts in checks.items()},
    }
