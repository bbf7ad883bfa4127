"""The command line of ``tools/evaluate``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .cache import Cache
from .corpus import read_manifest
from .errors import EvaluationError
from .labels import LABELS, shown
from .packages import check_packages, package
from .protocol import DEFAULT_COUNT, DEFAULT_SEED, QUICK_COUNT, Conversion, choose_conversions
from .run_record import read_record, run_record, write_json
from .sound import Sound, save_sound

DESCRIPTION = """Measures voice conversion on speakers that training never saw: words, similarity, quality, melody."""
EPILOG = """examples:
  tools/evaluate --corpus DATA/real --cache CACHE --system none --out none.json
  tools/evaluate --corpus DATA/real --cache CACHE --wavs FOLDER --name other --out other.json
  tools/evaluate --corpus DATA/real --cache CACHE --odd --noise DATA/noise --system naive --out odd.json
  tools/evaluate --corpus DATA/real --cache CACHE --report models/REPORT.md none.json naive.json target.json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit code: 0, or 2 where something is missing or wrong."""
    options = _parser().parse_args(arguments)
    try:
        if options.list:
            _list(options)
        elif options.report:
            _report(options)
        elif options.odd:
            _measure_odd_inputs(options)
        else:
            _measure(options)
    except EvaluationError as error:
        print(f"tools/evaluate: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    from .systems import SYSTEMS

    parser = argparse.ArgumentParser(
        "tools/evaluate", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("runs", nargs="*", type=Path, help="with --report: the JSON files of runs, in the order of the columns")
    add("--corpus", type=Path, required=True, help="folder with MANIFEST.tsv and one tar per set")
    add("--cache", type=Path, required=True, help="folder for what was measured; made if missing")
    add("--system", choices=sorted(SYSTEMS), help="which converter")
    add("--wavs", type=Path, help="instead of a system: folder with ready conversions, named as --list says")
    add("--name", help="what the run is called (default: the system, or the folder's name)")
    add("--count", type=int, default=DEFAULT_COUNT, help="how many conversions (default: %(default)s)")
    add("--quick", action="store_true", help=f"only the first {QUICK_COUNT}")
    add("--seed", type=int, default=DEFAULT_SEED, help="of the list of conversions (default: %(default)s)")
    add("--second-recogniser", action="store_true", help="let Whisper tiny.en listen too")
    add("--out", type=Path, help="write the run as JSON")
    add("--keep", type=Path, help="also write the conversions as wav files into this folder")
    add("--list", action="store_true", help="print the conversions and stop")
    add("--odd", action="store_true", help="measure odd inputs (whisper, laughter, clipping, ...) instead")
    add("--noise", type=Path, help="with --odd: folder with MANIFEST.tsv and noise.tar")
    add("--report", type=Path, metavar="FILE", help="lay runs side by side in a Markdown file with pictures beside it")
    return parser


def _conversions(options: argparse.Namespace) -> list[Conversion]:
    count = QUICK_COUNT if options.quick else options.count
    if count < 1:
        raise EvaluationError(f"--count is {count}; allowed: 1 or more")
    return choose_conversions(read_manifest(options.corpus), count, options.seed)


def _list(options: argparse.Namespace) -> None:
    for conversion in _conversions(options):
        print(conversion.id, conversion.genders, conversion.source.path, conversion.target.path, sep="\t")


def run_name(options: argparse.Namespace) -> str:
    """Return what the run is called; raise if there is nothing to run."""
    if (options.system is None) == (options.wavs is None):
        raise EvaluationError("name either a --system or a folder of --wavs")
    return str(options.name or options.system or options.wavs.name)


def command_line(options: argparse.Namespace) -> str:
    """Return the command with folders named by their last part, so that it can be shown anywhere."""
    words = ["tools/evaluate"]
    if options.odd:
        words.append("--odd")
    words += ["--wavs", options.wavs.name] if options.wavs else ["--system", options.system]
    if not options.odd:
        words += ["--count", str(QUICK_COUNT if options.quick else options.count), "--seed", str(options.seed)]
    if options.second_recogniser:
        words.append("--second-recogniser")
    return " ".join(words)


def _measure(options: argparse.Namespace) -> None:
    from .measure import Meters, load_material, measure_conversion
    from .systems import make_system, ready_sound

    name = run_name(options)
    conversions = _conversions(options)
    check_packages()
    system = None if options.wavs else make_system(options.system)
    meters = Meters(Cache(options.cache), options.second_recogniser)
    rows = []
    for conversion in _with_progress(conversions, name):
        material = load_material(options.corpus, conversion)
        began = time.perf_counter()
        if system is None:
            output = ready_sound(options.wavs, conversion.id)
        else:
            source = material.source
            output = Sound(*system.convert(source.audio, source.sample_rate, material.references, material.earlier))
        took_s = time.perf_counter() - began
        if options.keep:
            save_sound(options.keep / f"{conversion.id}.wav", output)
        row = measure_conversion(meters, conversion, material, output, system is None or system.keeps_words)
        rows.append({**row, "convert_s": round(took_s, 3)})
    protocol = {"count": len(conversions), "seed": options.seed}
    record = run_record(name, protocol, command_line(options), rows)
    if options.out:
        write_json(options.out, record)
    _print_figures([record])


def _with_progress(items: Sequence[Any], name: str) -> Any:
    return package("rich.progress").track(items, description=name)


def _print_figures(records: Sequence[dict[str, Any]]) -> None:
    table = package("rich.table").Table(title="mean and 95 % interval")
    table.add_column("figure")
    for record in records:
        table.add_column(f"{record['system']} ({record['protocol']['count']})", justify="right")
    for key, label in LABELS.items():
        if any(key in record["figures"] for record in records):
            table.add_row(label.text, *(shown(key, record["figures"].get(key)) for record in records))
    package("rich.console").Console().print(table)


def _measure_odd_inputs(options: argparse.Namespace) -> None:
    from .odd_inputs import measure_odd_inputs, print_odd_inputs

    if options.noise is None or options.system is None:
        raise EvaluationError("--odd needs a --system and the folder --noise")
    check_packages()
    record = measure_odd_inputs(options.system, run_name(options), options.corpus, options.noise, Cache(options.cache))
    record["command"] = command_line(options)
    if options.out:
        write_json(options.out, record)
    print_odd_inputs(record)


def _report(options: argparse.Namespace) -> None:
    from .pictures import draw_pictures
    from .report import write_report

    if not options.runs:
        raise EvaluationError("--report needs the JSON files of runs")
    records = [read_record(path) for path in options.runs]
    runs = [record for record in records if "figures" in record]
    odd = [record for record in records if "odd" in record]
    folder = options.report.parent / "report"
    pictures = draw_pictures(runs, odd, options.corpus, Cache(options.cache), folder)
    write_report(options.report, runs, odd, pictures)
    if runs:
        _print_figures(runs)
    print(f"wrote {options.report} and {len(pictures)} pictures")
