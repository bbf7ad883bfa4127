"""`vcfx convert`: change the voice in sound files."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import PurePath
from types import FrameType
from typing import TYPE_CHECKING

from vcfx.errors import VcfxError, printable

from .voice_options import add_voice_arguments, voice_label, voice_parameters, wants_voice

if TYPE_CHECKING:
    from vcfx.files.batch import BatchRequest
    from vcfx.files.renderer import RendererSource
    from vcfx.files.result import Result

    from .convert_progress import ConvertProgress

EXIT_SOME_FAILED = 2

_EPILOG = """\
outputs:
  without -o          NAME.PRESET.EXT beside each input
  -o FILE             for one input file
  -o FOLDER           for several inputs, or a folder: its structure is
                      mirrored
  -o -                standard output, WAV unless --format says otherwise;
                      the input '-' is standard input
The format goes by --format, else by the name of -o, else it stays that of the
input: %s.
An output lines up with its input to the sample and has its length. Files that
libsndfile cannot read (m4a, mp4, mkv, wma, ...) are read through the ffmpeg
command.
"""
_FORMATS = ("wav", "rf64", "flac", "mp3", "ogg", "opus", "aiff")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG % ", ".join(_FORMATS)
    parser.add_argument("inputs", metavar="IN", nargs="+", help="a sound file, a folder, a pattern, or '-'")
    parser.add_argument("-o", "--output", metavar="OUT", help="a file, a folder, or '-'")
    parser.add_argument("-p", "--preset", help="a preset's name (see `vcfx presets`) or file")
    parser.add_argument("-f", "--format", choices=_FORMATS, help="of the outputs")
    parser.add_argument("-j", "--jobs", type=int, default=1, metavar="N", help="files at a time; 0: one per core")
    parser.add_argument("--tail", action="store_true", help="go on until echo and reverb have died away")
    parser.add_argument("--credentials", action="store_true", help="sign content credentials into wav, flac, mp3")
    parser.add_argument("--force", action="store_true", help="replace outputs that exist")
    parser.add_argument("--json", action="store_true", help="print one JSON object per file to standard output")
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    add_voice_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Convert; returns 0, or 2 if any file failed."""
    from vcfx.files.renderer import RendererSource

    if "" in (*options.inputs, options.output):  # an empty shell variable must not mean this folder
        raise VcfxError("a file name is empty; give a name")
    if options.jobs < 0:
        raise VcfxError(f"--jobs is {options.jobs}; allowed: 0 or more")
    if options.json and (options.output == "-" or ("-" in options.inputs and options.output is None)):
        raise VcfxError("--json and the sound both want standard output; give -o FILE")
    if options.credentials:
        from vcfx.provenance.credentials import check_signing

        check_signing()
    if not wants_voice(options):
        if options.preset is None:
            raise VcfxError("nothing to change the sound with; give --preset P, --voice V or --reference CLIP")
        return convert_inputs(options, RendererSource("vcfx.offline", "renderer_factory", options.preset))
    with voice_parameters(options, "files") as parameters:
        request = json.dumps({"preset": options.preset, "voice": parameters})
        return convert_inputs(options, RendererSource("vcfx.offline", "voiced_renderer_factory", request))


def convert_inputs(options: argparse.Namespace, renderers: RendererSource) -> int:
    """Run the batch with progress on standard error."""
    from vcfx.files.batch import convert_batch

    from .convert_progress import ConvertProgress
    from .watermark import say_if_hidden

    say_if_hidden()

    failures = 0
    with (
        _ending_cleanly(),
        ConvertProgress(options.quiet) as progress,
        contextlib.closing(convert_batch(_request(options), renderers, progress.expect)) as events,
    ):
        for task, event in events:
            finished = progress.show(task, event)
            if finished is not None:
                failures += finished.error is not None
                _report(finished, options, progress)
    return EXIT_SOME_FAILED if failures else 0


def _request(options: argparse.Namespace) -> BatchRequest:
    from vcfx.files.batch import BatchRequest
    from vcfx.files.conversion import ConvertOptions

    label = _label(options)
    convert = ConvertOptions(options.format, options.tail, options.force, preset=label, credentials=options.credentials)
    return BatchRequest(options.inputs, options.output, convert, label, options.jobs or os.cpu_count() or 1)


def _label(options: argparse.Namespace) -> str:
    """Return what goes into the names of outputs beside their inputs."""
    parts = [voice_label(options)] if wants_voice(options) else []
    if options.preset is not None:
        preset = PurePath(options.preset)
        parts.append(preset.stem if preset.suffix == ".toml" else preset.name)
    return "-".join(parts)


def _report(result: Result, options: argparse.Namespace, progress: ConvertProgress) -> None:
    if options.json:
        print(json.dumps(result.as_json()), flush=True)
    for sentence in sentences(result, options.quiet):
        progress.say(f"vcfx: {printable(sentence)}")


def sentences(result: Result, quiet: bool) -> list[str]:
    """Return what a person should know about a finished file."""
    if result.error is not None:
        return [result.error]
    if quiet:
        return []
    name, told = result.output, [result.note] if result.note else []
    if result.clipped_samples:
        told.append(f"{result.clipped_samples} samples above full scale were clipped; lower the preset's level")
    if result.non_finite_samples:
        told.append(f"{result.non_finite_samples} samples were not numbers and became silence")
    return [f"{name}: {sentence}" for sentence in told]


@contextlib.contextmanager
def _ending_cleanly() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into one exception each, so that workers and half files go; then be deaf."""

    def end(number: int, frame: FrameType | None) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)  # a second Ctrl-C must not cut the cleaning short
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    wanted = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {one: signal.getsignal(one) for one in wanted if signal.getsignal(one) is not signal.SIG_IGN}
    for one in before:
        signal.signal(one, end)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
