"""`vcfx verify`: whether a file holds a converted voice, and whose, by all that vcfx leaves in files."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vcfx.errors import AudioFileError, VcfxError, printable

if TYPE_CHECKING:
    from vcfx.provenance.credentials import Credentials
    from vcfx.provenance.names import KnownNames
    from vcfx.provenance.verification import FileReport
    from vcfx_dsp.watermark.key import WatermarkKey

_STDERR: Final = 2
EXIT_NO_MARK: Final = 1
EXIT_ERROR: Final = 2
_MAX_SEGMENTS: Final = 8
#: Of the payloads claimed with as much, 1261 of 1262 were right; below, 79 of 101 (models/WATERMARK.md).
SURE_PAYLOAD: Final = 0.99
_STATES: Final = {
    "trusted": "intact, signed by {signer}",
    "intact": "intact, signed by {signer}; nobody vouches for that signer",
    "broken": "broken ({problem}): what they say does not hold for this sound",
    "unread": "there seem to be some, but they were not read: {problem}",
}
_EPILOG: Final = """\
Three things are looked for: the mark in the sound itself, which outlives
codecs, noise and cuts; metadata, which anybody can write or remove; content
credentials (C2PA), which are signed. That nothing is found proves nothing:
other programs convert voices without marks, and marks can be taken out.
Marks are looked for under the public key, the private ones that are kept here
(`vcfx watermark key`) and those of --key; under other private keys none is seen.
Exit code 0 if every file was read, whatever was found; 2 if one could not be.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("files", metavar="FILE", nargs="+", help="a sound file, a folder, or '-' for standard input")
    parser.add_argument("--json", action="store_true", help="print one JSON object per file")
    parser.add_argument(
        "--key", metavar="FILE", action="append", default=[], help="a private key to look under; repeats"
    )
    parser.add_argument("--require-mark", action="store_true", help="exit code 1 if a file has no mark")


def run(options: argparse.Namespace) -> int:
    """Look at every file; returns the exit code."""
    from vcfx.provenance.names import known_names

    if "" in options.files:
        raise VcfxError("a file name is empty; give a name")
    if options.files.count("-") > 1:
        raise VcfxError("'-' is given more than once; standard input can be read once")
    names, keys, code = known_names(), _private_keys(options.key), 0
    with tempfile.TemporaryDirectory(prefix="vcfx-") as folder:
        for path in _paths(options.files):
            try:
                report = _verified(path, Path(folder), keys)
            except (VcfxError, MemoryError) as error:
                _print_error(str(path), str(error) or "not enough memory", options.json)
                code = EXIT_ERROR
                continue
            if options.json:
                print(json.dumps({"file": str(path), **report.as_json(names), "error": None}), flush=True)
            else:
                print("\n".join(printable(line) for line in lines(str(path), report, names)), flush=True)
            if options.require_mark and not report.mark.found:
                code = code or EXIT_NO_MARK
    return code


def lines(name: str, report: FileReport, names: KnownNames) -> list[str]:
    """Return what people are shown of a file: the conclusion, then what it rests on."""
    shown = "standard input" if name == "-" else name
    told = [f"{shown}: {report.conclusion}"]
    mark = report.mark
    for segment in mark.segments[:_MAX_SEGMENTS]:
        tags = segment.payload
        sure = "" if segment.payload_confidence >= SURE_PAYLOAD else "probably "
        told.append(
            f"  mark         {segment.start_s:.1f}-{segment.end_s:.1f} s, {_sureness(segment.confidence)}: "
            f"{sure}installation {tags.installation} ({names.installation(tags.installation)}), "
            f"voice {tags.voice} ({names.voice(tags.voice)})"
            + (f", under the private key {segment.key}" if segment.key else "")
        )
    if report.private_key:
        told.append(
            f"  mark         one under the private key {report.private_key}, it says of itself; not found with the "
            "keys that are here, and only who has that one can look: vcfx verify --key FILE"
        )
    if report.says is not None:
        part = "" if report.says_all else " (only this sentence is left of them)"
        told.append(f"  metadata     {report.says.sentence}{part}")
    if report.credentials is not None:
        told.append(f"  credentials  {_credentials(report.credentials)}")
    if report.contradiction:
        told.append(f"  beware       {report.contradiction}")
    return told


def _private_keys(files: Sequence[str]) -> list[WatermarkKey]:
    """Return the keys of those files and the ones that are kept here, each once."""
    from vcfx.marking.keys import kept_keys, read_key

    found = [*(read_key(Path(file)) for file in files), *kept_keys()]
    return list({key.fingerprint: key for key in found}.values())


def _sureness(confidence: float) -> str:
    """Say how sure a find is, in no more digits than were ever measured."""
    return "confidence above 0.9999" if confidence > 0.9999 else f"confidence {confidence:.4f}"


def _credentials(credentials: Credentials) -> str:
    signer = "this installation" if credentials.own else f"'{credentials.signer}'"
    told = _STATES[credentials.state].format(signer=signer, problem=credentials.problem)
    if credentials.state == "unread":
        return told
    types = ", ".join(uri.rsplit("/", maxsplit=1)[-1] for uri in credentials.source_types)
    return f"{told}; made by {credentials.tool or 'an unnamed program'}" + (f": {types}" if types else "")


def _verified(path: Path, folder: Path, keys: Sequence[WatermarkKey]) -> FileReport:
    from vcfx.files.standard_streams import is_stream, shown, spool
    from vcfx.provenance.verification import verify_file

    if path.is_dir():
        raise AudioFileError(f"{path} holds no sound files")
    here = spool(path, folder) if is_stream(path) else path
    try:
        with _Progress(shown(path)) as progress:
            return verify_file(here, progress.step, shown(path), keys)
    except AudioFileError as error:
        raise AudioFileError(str(error).replace(str(here), shown(path))) from error
    finally:
        if here is not path:
            here.unlink(missing_ok=True)


def _paths(names: Sequence[str]) -> Iterator[Path]:
    """Give the files, and those in folders, in order."""
    from vcfx.files.formats import AUDIO_EXTENSIONS, extension_of

    for name in names:
        path = Path(name)
        if name == "-" or not path.is_dir():
            yield path
            continue
        inside = sorted(each for each in path.rglob("*") if extension_of(each) in AUDIO_EXTENSIONS and each.is_file())
        yield from inside or [path]


def _print_error(name: str, sentence: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"file": name, "error": sentence}), flush=True)
    told = sentence if name in sentence or name == "-" else f"{name}: {sentence}"
    print(f"vcfx: {printable(told)}", file=sys.stderr)


class _Progress:
    """A bar on standard error, where that is a terminal; a context manager.

    Meanwhile nobody else writes there: mpg123 chats about damaged files, past Python.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._bars: Any = None
        self._row: Any = None

    def __enter__(self) -> _Progress:
        sys.stderr.flush()
        self._kept = os.dup(_STDERR)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)
        self._terminal = open(self._kept, "w", closefd=False)
        if self._terminal.isatty():
            from rich.console import Console
            from rich.markup import escape
            from rich.progress import Progress

            self._bars = Progress(console=Console(file=self._terminal), transient=True, redirect_stdout=False)
            self._row = self._bars.add_task(escape(printable(self._name)), total=None)
            self._bars.start()
        return self

    def step(self, seconds_done: float, seconds_in_all: float | None) -> None:
        """Move the bar."""
        if self._bars is not None:
            self._bars.update(self._row, completed=seconds_done, total=seconds_in_all)

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._terminal.close()
        os.dup2(self._kept, _STDERR)
        os.close(self._kept)
