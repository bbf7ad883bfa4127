"""The error rates of speaker encoders as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .report import table

METHOD: Final = """\
Speakers are those of the dev splits and every twentieth of the others, whom no encoder of ours was trained on. GE2E
is the file that the package Resemblyzer ships; its authors name LibriSpeech train-other-500 and VoxCeleb 1 and 2 as
its training, of which none of these sets is a part. A piece is so many seconds of speech, pauses longer than a quarter
of a second cut out, at -24 dBFS. Each enrolled piece meets each tested one of the same set of recordings, of either
gender: across sets, microphones would tell speakers apart. Noise is recorded noise that the training of this tool's
own candidates leaves out (the shipped encoder was taught with all of it, at 10 to 40 dB); the ratio is of powers over
the piece.

- EER: the rate at which false acceptances and false refusals are equal. In brackets: 95 % bootstrap over speakers,
  drawn with replacement. With this few speakers the intervals are wide.
- Thresholds are cosines of embeddings, mean of partials for GE2E, whole piece for the others.
- "Several recordings": what is enrolled and what is tested are of different recordings, of one device and mostly of
  one day, so that the rates are lower bounds for what days and devices would give.
- "One recording": the halves of the only recording of a speaker.
"""


def percent(value: float) -> str:
    """Return a share in percent."""
    return f"{100 * value:.1f} %"


def write_speaker_report(path: Path, record: Mapping[str, Any]) -> None:
    """Write the report under a temporary name, then rename."""
    parts = ["# Speaker encoders, measured\n", METHOD, _what_was_run(record)]
    for title, name in (("Several recordings", "several_recordings"), ("One recording", "one_recording")):
        parts += [f"## {title}\n", _rates(record[name]), _thresholds(record[name])]
        if more := record[f"{name}_more_than_shipped"]:
            parts.append(_differences(more))
    if record["against_shipped"]:
        parts += ["## How far others are from the shipped embeddings\n", _distances(record["against_shipped"])]
    parts += ["## Two people in a recording\n", _mixtures(record["two_speakers"])]
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_text("\n".join(parts), encoding="utf-8")
    temporary.replace(path)


def _what_was_run(record: Mapping[str, Any]) -> str:
    rows = [[name, meaning] for name, meaning in record["encoders"].items()]
    line = f"`{record['command']}`, revision {record['revision']}, {record['machine']}.\n"
    return f"{table(['encoder', 'what it is'], rows)}\n{line}"


def _rates(of_encoder: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    first = next(iter(of_encoder.values()))
    head = ["EER", "speakers", "same", "different", *of_encoder]
    rows = []
    for condition, some in first.items():
        cells = [
            f"{percent(rates[condition]['equal_error_rate'])} [{100 * rates[condition]['low']:.1f}, "
            f"{100 * rates[condition]['high']:.1f}]"
            for rates in of_encoder.values()
        ]
        rows.append([condition, str(some["speakers"]), str(some["same"]), str(some["different"]), *cells])
    return table(head, rows)


def _thresholds(of_encoder: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    head = ["cosine at the EER; at 1 % false acceptance (false refusals there)", *of_encoder]
    rows = [
        [
            condition,
            *(
                f"{rates[condition]['threshold']:.3f}; {rates[condition]['strict_threshold']:.3f} "
                f"({percent(rates[condition]['strict_refusal'])})"
                for rates in of_encoder.values()
            ),
        ]
        for condition in next(iter(of_encoder.values()))
    ]
    return table(head, rows)


def _differences(more: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    rows = [
        [
            condition,
            *(
                f"{100 * of[condition][0]:+.1f} [{100 * of[condition][1]:+.1f}, {100 * of[condition][2]:+.1f}]"
                for of in more.values()
            ),
        ]
        for condition in next(iter(more.values()))
    ]
    return table(["EER in points more than the shipped encoder's, the same speakers drawn for both", *more], rows)


def _distances(against: Mapping[str, Mapping[str, float]]) -> str:
    rows = [[name, f"{far['mean']:.4f}", f"{far['low_5']:.4f}", f"{far['least']:.4f}"] for name, far in against.items()]
    return table(["cosine to the shipped encoder's embedding of the same piece", "mean", "lowest 5 %", "least"], rows)


def _mixtures(found: Mapping[str, Any]) -> str:
    checks: Sequence[str] = list(found["checks"])
    lengths = list(next(iter(next(iter(found["checks"].values())).values())))
    rows = []
    for kind in found["kinds"]:
        for seconds in lengths:
            cells = []
            for check in checks:
                share, low, high, _ = found["checks"][check][kind][seconds]
                cells.append(f"{percent(share)} [{100 * low:.0f}, {100 * high:.0f}]")
            rows.append([kind, f"{seconds} s", *cells])
    return f"{found['note']}\n\n{table(['refused', 'speech', *checks], rows)}"
