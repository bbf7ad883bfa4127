"""What a converter makes of odd inputs: whisper, laughter, clipping, noise, song, other languages, silence."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from . import odd_signals
from .cache import Cache
from .corpus import Clip, read_clip, read_manifest, read_member
from .errors import EvaluationError
from .measure import Meters, load_material
from .packages import package, versions
from .protocol import Conversion, choose_conversions
from .run_record import SCHEMA, git_revision, machine
from .sound import SILENCE_DB, Sound, active_level_db
from .systems import make_system
from .words import comparable, sign_errors, word_errors

NOISES: Final = ("vacuum_cleaner", "rain")
#: Kind -> set and language.
FOREIGN: Final = {"German": ("rhasspy_kerstin_de", "de"), "Mandarin": ("aishell3_bits", "zh")}
SOURCE_SET: Final = "librispeech_devclean_mp3"
NOTE: Final = (
    "Whisper, laughter, breath and song are imitations by signal processing. German and Mandarin are clips of speakers "
    "from the training split. Errors are word errors, in Mandarin signs; German numbers are not spelt out. "
    f"{SILENCE_DB:g} dB stands for nothing at all."
)


@dataclass(frozen=True, slots=True)
class OddInput:
    """One input with what is said in it; nothing is said where the text is empty."""

    kind: str
    sound: Sound
    text: str = ""
    language: str = "en"


def odd_inputs(corpus: Path, noise: Path, speech: list[Conversion]) -> Iterator[OddInput]:
    """Yield every odd input; `speech` is what the imitations are made from."""
    noises = _noises(noise)
    for conversion, background in zip(speech, noises, strict=True):
        clean, text = read_clip(corpus, conversion.source), conversion.source.text
        yield OddInput("clean", clean, text)
        yield OddInput("whispered", odd_signals.whispered(clean), text)
        yield OddInput("sung", odd_signals.sung(clean), text)
        yield OddInput("clipped", odd_signals.clipped(clean), text)
        yield OddInput("noisy, 10 dB", odd_signals.noisy(clean, background), text)
    clips = read_manifest(corpus)
    for kind, (name, language) in FOREIGN.items():
        clip = _first_of(clips, name)
        yield OddInput(kind, read_clip(corpus, clip), clip.text, language)
    yield OddInput("laughter", odd_signals.laughter())
    yield OddInput("breath", odd_signals.breath())
    yield OddInput("hiss", odd_signals.hiss())
    yield OddInput("silence", odd_signals.silence())


def measure_odd_inputs(system: str, name: str, corpus: Path, noise: Path, cache: Cache) -> dict[str, Any]:
    """Convert every odd input and return the record, without the command."""
    converter, meters = make_system(system), Meters(cache)
    speech = _speech(corpus)
    reference = load_material(corpus, speech[0]).references
    rows = []
    for odd in package("rich.progress").track(list(odd_inputs(corpus, noise, speech)), description=f"{name}, odd"):
        output = Sound(*converter.convert(odd.sound.audio, odd.sound.sample_rate, reference))
        rows.append(_row(meters, odd, output))
    return {
        "schema": SCHEMA,
        "system": name,
        "revision": git_revision(),
        "machine": machine(),
        "packages": versions(),
        "note": f"{NOTE} Target: {speech[0].target.path}.",
        "odd": rows,
    }


def _row(meters: Meters, odd: OddInput, output: Sound) -> dict[str, Any]:
    row = {
        "kind": odd.kind,
        "input": meters.cache.keep_sound(odd.sound),
        "sound": meters.cache.keep_sound(output),
        "level_in_db": round(active_level_db(odd.sound), 2),
        "level_out_db": round(active_level_db(output), 2),
        "peak_out_db": round(_peak_db(output), 2),
        "finite": bool(np.isfinite(output.audio).all()),
    }
    if odd.text:
        wanted = comparable(odd.text, odd.language)
        errors = sign_errors if odd.language == "zh" else word_errors
        for side, sound in (("source", odd.sound), ("output", output)):
            heard = comparable(meters.text(meters.recognisers[0], sound, odd.language), odd.language)
            row[f"{side}_edits"], row["count"] = errors(wanted, heard)
            row[f"{side}_heard"] = heard
    return row


def _peak_db(sound: Sound) -> float:
    peak = float(np.max(np.abs(sound.audio), initial=0.0))
    return float(20 * np.log10(max(peak, 10 ** (SILENCE_DB / 20))))


def _speech(corpus: Path) -> list[Conversion]:
    """A woman's and a man's utterance, both to be said by the first one's target."""
    listed = [made for made in choose_conversions(read_manifest(corpus), 16) if made.source.set == SOURCE_SET]
    return [next(made for made in listed if made.source.gender == gender) for gender in "fm"]


def _first_of(clips: list[Clip], name: str) -> Clip:
    fitting = sorted(
        (clip for clip in clips if clip.set == name and 3 <= clip.seconds <= 8), key=lambda clip: clip.path
    )
    if not fitting:
        raise EvaluationError(f"the corpus has no clip of 3 to 8 s in the set '{name}'")
    return fitting[0]


def _noises(folder: Path) -> list[Sound]:
    """The first recording of each of `NOISES`."""
    path = folder / "MANIFEST.tsv"
    if not path.is_file():
        raise EvaluationError(f"there are no noises at '{folder}': it lacks MANIFEST.tsv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = sorted(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), key=lambda row: row["path"])
    members = {row["description"]: row["path"] for row in reversed(rows)}
    missing = [name for name in NOISES if name not in members]
    if missing:
        raise EvaluationError(f"the noises at '{folder}' lack: {', '.join(missing)}")
    return [read_member(folder / "noise.tar", members[name]) for name in NOISES]


def print_odd_inputs(record: dict[str, Any]) -> None:
    """Show the record as a table in the terminal."""
    table = package("rich.table").Table(title=f"odd inputs through {record['system']}")
    for head in ("input", "level in, dB", "level out, dB", "peak, dB", "edits in", "edits out", "of"):
        table.add_column(head)
    for row in record["odd"]:
        edits = (str(row.get(key, "-")) for key in ("source_edits", "output_edits", "count"))
        levels = (f"{row[key]:.1f}" for key in ("level_in_db", "level_out_db", "peak_out_db"))
        table.add_row(row["kind"], *levels, *edits)
    package("rich.console").Console().print(table)
