"""The report on the checks of liveness, from what was measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from string import Template
from typing import Any, Final

import numpy as np
import onnx

from tools.train.liveness_kinds import KINDS, LIVE
from vcfx_models.liveness.challenge import PHRASE_BITS, PHRASE_WORDS, SECONDS_ALLOWED
from vcfx_models.liveness.live_detector import LiveDetector
from vcfx_models.liveness.phrase_check import LEAST_SHARE
from vcfx_models.liveness.same_speaker import LEAST_SIMILARITY
from vcfx_models.liveness.verdict import LEAST_SNR_DB
from vcfx_models.liveness.words import WORDS

from .liveness_figures import Rate, equal_error, rate
from .liveness_scores import AS_ANSWERED

TEMPLATE: Final = Path(__file__).with_name("liveness_report.md")
FALSE_REJECT: Final = 0.05
#: What each kind is, and whether the detector learned from it.
TITLES: Final = {
    "replay": "replay, simulated loudspeaker and room of the learned sort",
    "replay_other": "replay, another sort of loudspeaker and room",
    "kokoro": "Kokoro (neural), other voices",
    "flite": "Flite (units), another voice",
    "griffin_lim": "Griffin-Lim copies",
    "world": "WORLD copies",
    "converter": "our own converter, other voices",
    "piper": "Piper (neural, VITS)",
    "espeak": "eSpeak NG (formants)",
    "festival_hts": "Festival HTS (hidden Markov models)",
    "festival_diphone": "Festival (diphones)",
    "pico": "SVOX Pico (hidden Markov models)",
    "pitch_shift": "live speech, pitch shifted by another program",
}
#: Kinds that are only learned from.
LESSONS: Final = {
    "lpc": "linear prediction and pulses",
    "stretched": "phase vocoder, slower or faster or there and back",
    "shifted": "phase vocoder, moved in pitch",
    "mel": "copies from mel bands",
    "smooth_world": "WORLD, smoothed",
    "source_filter": "our vocoder from smooth envelopes",
    "converter_own": "our own converter, to the voice it had",
}
AS_IT_IS: Final = "as it is"
NOT_MEASURED: Final = "**Not measured yet**: this needs the part `{}` of the evaluation."
Rows = list[dict[str, Any]]


def report(folder: Path) -> str:
    """Return the report as Markdown; `folder` holds what the parts of the evaluation wrote."""
    speakers, detector = (_read(folder, part) for part in ("speakers", "detector"))
    least_score = LiveDetector().least_score
    rows, cost = detector["rows"], detector["cost"]
    plain = [row for row in rows if row["how"] == AS_IT_IS]
    answered = [row for row in rows if row["how"] == AS_ANSWERED]
    threshold = _threshold(plain)
    said = {
        "words": len(WORDS),
        "phrase_words": PHRASE_WORDS,
        "bits": f"{PHRASE_BITS:.1f}",
        "seconds": f"{SECONDS_ALLOWED:g}",
        "least_share": f"{LEAST_SHARE:g}",
        "least_similarity": f"{LEAST_SIMILARITY:g}",
        "least_snr": f"{LEAST_SNR_DB:g}",
        "uncoded": _uncoded(folder, least_score),
        "uncoded_refused": _uncoded_refused(folder, least_score),
        "phrases": _phrases(_read(folder, "phrases")["rows"])
        if (folder / "phrases.json").is_file()
        else NOT_MEASURED.format("phrases"),
        "speakers": _speakers(speakers["rows"]),
        "least_score": f"{least_score:.2f}",
        "answered_refused": _shown(_refused(answered, least_score)),
        "answered_let_in": _shown(_let_in([row for row in answered if row["kind"] != LIVE], least_score)),
        "attacks_let_in": _shown(_let_in([row for row in plain if row["kind"] != LIVE], threshold)),
        "live_refused": _shown(_refused(plain, least_score)),
        "kinds": _kinds(plain, answered, least_score),
        "beside": _beside(plain, _aasist(folder)),
        "live_sets": _live_sets(plain, least_score),
        "changes": _changes(rows, least_score),
        "pauses": _pauses(rows),
        "clips": _clips(),
        "learned": sum(train for train, _ in _learned().values()),
        "cost": f"{cost['median_ms']:.0f} ms in the median, {cost['worst_ms']:.0f} ms at worst",
        "network_ms": f"{cost['network_ms']:.0f}",
        "bytes": f"{cost['bytes'] / 1000:.0f} kB",
    }
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(said)


def _read(folder: Path, part: str) -> Any:
    return json.loads((folder / f"{part}.json").read_text(encoding="utf-8"))


def _shown(found: Rate) -> str:
    return f"{100 * found.share:.0f} % ({100 * found.low:.0f} to {100 * found.high:.0f})"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _groups(rows: Rows, key: Callable[[dict[str, Any]], Any]) -> dict[Any, Rows]:
    found: dict[Any, Rows] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _phrases(rows: Rows) -> str:
    def line(name: object, own: Rows) -> list[str]:
        missed = rate([r["right"] < LEAST_SHARE * r["asked"] for r in own], [r["speaker"] for r in own])
        false = [r for r in own if "right_of_false" in r]
        let_in = [r["right_of_false"] >= LEAST_SHARE * r["asked_false"] for r in false]
        most = max((r["right_of_false"] / r["asked_false"] for r in false), default=0.0)
        taken = (
            f"{_shown(rate(let_in, [r['speaker'] for r in false]))}, most right {100 * most:.0f} %" if false else "-"
        )
        right = np.mean([r["right"] / r["asked"] for r in own])
        return [str(name), str(len(own)), f"{100 * right:.0f} %", _shown(missed), taken]

    clean = _groups([r for r in rows if r["snr_db"] is None], lambda r: r["set"])
    noisy = _groups([r for r in rows if r["snr_db"] is not None], lambda r: (r["set"] == "challenges", r["snr_db"]))
    lines = [line(name, own) for name, own in clean.items()]
    for (spoken, snr_db), own in sorted(noisy.items(), key=lambda item: (item[0][0], -item[0][1])):
        lines.append(line(f"{'challenges' if spoken else 'all recordings'}, {snr_db:.0f} dB SNR", own))
    head = ("sound", "clips", "words right", "true phrase refused", "false phrase let in")
    return _table(head, lines)


def _speakers(rows: Rows) -> str:
    lines = []
    for name, own in _groups(rows, lambda r: r["set"]).items():
        same = [r for r in own if r["same"]]
        others = [r for r in own if not r["same"]]
        refused = rate([r["similarity"] < LEAST_SIMILARITY for r in same], [r["speaker"] for r in same])
        let_in = rate([r["similarity"] >= LEAST_SIMILARITY for r in others], [r["speaker"] for r in others])
        alike = [r for r in others if r["same_gender"]]
        nearest = rate([r["similarity"] >= LEAST_SIMILARITY for r in alike], [r["speaker"] for r in alike])
        error = equal_error([r["similarity"] for r in same], [r["similarity"] for r in others])
        people = f"{refused.speakers} people, {len(same)} answers"
        lines.append([name, people, _shown(refused), _shown(let_in), _shown(nearest), f"{100 * error:.1f} %"])
    head = ("corpus", "held out", "same person refused", "others let in", "... of the same gender", "equal error")
    return _table(head, lines)


def _threshold(rows: Rows) -> float:
    return float(np.quantile([row["score"] for row in rows if row["kind"] == LIVE], FALSE_REJECT))


def _refused(rows: Rows, threshold: float) -> Rate:
    return _share_refused([row for row in rows if row["kind"] == LIVE], "speaker", threshold)


def _let_in(rows: Rows, threshold: float) -> Rate:
    return rate([row["score"] >= threshold for row in rows], [row["speaker"] for row in rows])


def _aasist(folder: Path) -> Rows:
    return list(_read(folder, "aasist"))


def _kinds(rows: Rows, answered: Rows, least_score: float) -> str:
    threshold = _threshold(rows)
    live = [row["score"] for row in rows if row["kind"] == LIVE]

    def line(title: str, names: set[str]) -> list[str]:
        own, uncoded = ([r for r in found if r["kind"] in names] for found in (rows, answered))
        found = _let_in(own, threshold)
        return [
            title,
            str(found.clips),
            _shown(found),
            f"{100 * _let_in(own, least_score).share:.0f} %",
            f"{100 * equal_error(live, [r['score'] for r in own]):.0f} %",
            f"{100 * _let_in(uncoded, least_score).share:.0f} %",
        ]

    ours = ("let in at 5 % refused", "let in as shipped", "equal error", "never coded: let in as shipped")
    return _table(("attack", "clips", *ours), [line(*entry) for entry in _titled()])


def _titled() -> list[tuple[str, set[str]]]:
    """Return the lines of a table: each kind, then the learned, the unseen and all."""
    learned = {kind.name for kind in KINDS if kind.counts[0]}
    lines = [(f"{title}{'' if name in learned else ' (unseen)'}", {name}) for name, title in TITLES.items()]
    lines.append(("**all kinds learned from**", set(TITLES) & learned))
    lines.append(("**all unseen kinds**", set(TITLES) - learned))
    return [*lines, ("**all**", set(TITLES))]


def _uncoded(folder: Path, least_score: float) -> str:
    if not (folder / "uncoded.json").is_file():
        return NOT_MEASURED.format("uncoded")
    rows = _read(folder, "uncoded")["rows"]
    cells = []
    for name, own in [("all", rows), *_groups(rows, lambda r: r["person"]).items()]:
        refused = _share_refused(own, "person", least_score)
        cells.append([name, len(own), _shown(refused), f"{np.median([r['score'] for r in own]):.2f}"])
    return _table(("person", "clips", "refused as shipped", "median score"), cells)


def _uncoded_refused(folder: Path, least_score: float) -> str:
    if not (folder / "uncoded.json").is_file():
        return "an unknown share"
    return _shown(_share_refused(_read(folder, "uncoded")["rows"], "person", least_score))


def _share_refused(rows: Rows, who: str, threshold: float) -> Rate:
    return rate([row["score"] < threshold for row in rows], [row[who] for row in rows])


def _beside(rows: Rows, theirs: Rows) -> str:
    """Return both detectors on the same clips: those that both of them judged."""
    ours = {(r["kind"], r["number"]): r for r in rows}
    pairs = [(ours[r["kind"], r["number"]], r) for r in theirs if (r["kind"], r["number"]) in ours]
    columns = [[pair[side] for pair in pairs] for side in (0, 1)]
    live = [[r["score"] for r in column if r["kind"] == LIVE] for column in columns]
    head = f"of the same clips ({len(live[0])} live)"

    def line(title: str, names: set[str]) -> list[str]:
        own = [[r for r in column if r["kind"] in names] for column in columns]
        cells = [title, str(len(own[0]))]
        for side in (0, 1):
            error = equal_error(live[side], [r["score"] for r in own[side]])
            cells += [_shown(_let_in(own[side], _threshold(columns[side]))), f"{100 * error:.0f} %"]
        return cells

    names = ("ours: let in at 5 % refused", "ours: equal error", "AASIST: let in at 5 % refused", "AASIST: equal error")
    return _table((head, "clips", *names), [line(*entry) for entry in _titled()])


def _live_sets(rows: Rows, least_score: float) -> str:
    learned = {"librispeech", "speechocean762"}
    lines = []
    for name, own in _groups([r for r in rows if r["kind"] == LIVE], lambda r: r["origin"]).items():
        found = _refused(own, least_score)
        seen = "other speakers of it" if name in learned else "no clip of it"
        lines.append([name, seen, f"{found.clips} clips, {found.speakers} speakers", _shown(found)])
    return _table(("corpus", "learned from", "judged", "live refused as shipped"), lines)


def _changes(rows: Rows, least_score: float) -> str:
    lines = []
    for how, own in _groups(rows, lambda r: r["how"]).items():
        if how == "pauses alone":
            continue
        replay, made = (
            [r for r in own if (r["kind"] in ("replay", "replay_other")) == is_replay and r["kind"] != LIVE]
            for is_replay in (True, False)
        )
        rates = [_shown(found) for found in (_refused(own, least_score), _let_in(replay, least_score))]
        error = equal_error([r["score"] for r in own if r["kind"] == LIVE], [r["score"] for r in replay + made])
        lines.append([how, *rates, _shown(_let_in(made, least_score)), f"{100 * error:.0f} %"])
    return _table(("sound", "live refused", "replay let in", "made speech let in", "equal error"), lines)


def _pauses(rows: Rows) -> str:
    own = [row for row in rows if row["how"] == "pauses alone"]
    live = [row["score"] for row in own if row["kind"] == LIVE]
    attacks = [row["score"] for row in own if row["kind"] != LIVE]
    return f"{100 * equal_error(live, attacks):.0f} % ({len(live)} live, {len(attacks)} attacks)"


def _clips() -> str:
    """Return how many clips of each kind there are; of those learned from, as many as the network's file says."""
    learned = _learned()
    titles = {LIVE: "live speech"} | TITLES | LESSONS
    lines = [[titles[k.name], *learned.get(k.name, (0, 0)), k.counts[2]] for k in KINDS]
    return _table(
        ("kind", "train", "dev", "test"), [[line[0], *(count or "-" for count in line[1:])] for line in lines]
    )


def _learned() -> dict[str, list[int]]:
    """Return kind -> clips for train and dev, as the network's file says."""
    said = {entry.key: entry.value for entry in onnx.load(LiveDetector().path).metadata_props}
    return dict(json.loads(said["learned_from"]))
