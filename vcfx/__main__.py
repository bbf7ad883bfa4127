"""The command line: `vcfx COMMAND ...`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from vcfx import __version__
from vcfx.cli.command_parser import CommandParser
from vcfx.errors import printable
from vcfx_dsp.errors import VcfxError, nearest

#: command -> (module with `add_arguments` and `run`, one line of help). Modules load only when their command is given.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("vcfx.cli.run", "change a voice live, between an input and an output device"),
    "send": ("vcfx.cli.send", "say something to a voice that runs, or ask it how it is"),
    "serve": ("vcfx.cli.serve", "run a voice, or take one that runs, and control it over HTTP and WebSocket"),
    "ui": ("vcfx.cli.ui", "change a voice live, with a panel in the browser"),
    "demo": ("vcfx.cli.demo", "hear it at once: live, or from the bundled clip into a file"),
    "convert": ("vcfx.cli.convert", "change the voice in audio files"),
    "presets": ("vcfx.cli.presets", "list, show, check and make presets"),
    "voices": ("vcfx.cli.voices", "enrol, list, share and revoke the voices that can be spoken with"),
    "verify": ("vcfx.cli.verify", "say whether files hold a converted voice, and what they tell of it"),
    "audit": ("vcfx.cli.audit", "list, check and export what was done with voices"),
    "watermark": ("vcfx.cli.watermark", "say whether converted voices are marked; turn that off and on"),
    "midi": ("vcfx.cli.midi", "list, watch and teach MIDI controllers"),
    "plugins": ("vcfx.cli.plugins", "find VST3 and AU plugins, and put them into presets"),
    "devices": ("vcfx.cli.devices", "list audio devices"),
    "device": ("vcfx.cli.device", "create, list and remove the virtual microphone"),
    "latency": ("vcfx.cli.latency", "measure the round trip by loopback"),
    "doctor": ("vcfx.cli.doctor", "say what is missing and how to mend it"),
    "bench": ("vcfx.cli.bench", "measure graph, engine, files and voice on this machine"),
}
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def overview() -> str:
    """Return the text of `vcfx --help`."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: vcfx COMMAND [OPTIONS]",
            "",
            "Real-time voice changer: live between any input and output device, or over files.",
            "",
            "commands:",
            *lines,
            "",
            "  vcfx COMMAND --help   says more;   vcfx --version   prints the version",
        ]
    )


def run_command(name: str, arguments: Sequence[str]) -> int:
    """Load one command's module, parse its arguments and run it; returns the exit code."""
    if name not in COMMANDS:
        raise VcfxError(f"there is no command '{name}'{nearest(name, COMMANDS)}")
    module = import_module(COMMANDS[name][0])
    parser = CommandParser(prog=f"vcfx {name}", description=COMMANDS[name][1])
    module.add_arguments(parser)
    code: int = module.run(parser.parse_args(arguments))
    return code


def answer(arguments: Sequence[str]) -> int:
    """Print what was asked for, or run a command; returns the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if arguments[0] in ("-V", "--version"):
        print(f"vcfx {__version__}")
        return 0
    return run_command(arguments[0], arguments[1:])


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the `vcfx` command."""
    _open_standard_streams()
    try:
        code = answer(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()  # here, where a full disk can still be told
        return code
    except VcfxError as error:
        print(f"vcfx: {printable(str(error))}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("vcfx: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # `vcfx ... | head` closed the pipe: nobody is reading any more
        _forget_output()
        return 0
    except OSError as error:  # of a file that nobody expected to fail; most often standard output on a full disk
        name = printable(str(error.filename)) if error.filename else "the output"
        print(f"vcfx: {name} cannot be used: {error.strerror or error}", file=sys.stderr)
        _forget_output()
        return EXIT_BAD_INPUT


def _open_standard_streams() -> None:
    """Put the null device where a standard stream is closed: Python has None there, and other files take its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # open takes the lowest free number
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode)  # noqa: SIM115 - lives as long as the process
            setattr(sys, name, stream)
            os.set_inheritable(stream.fileno(), True)


def _forget_output() -> None:
    """Let nothing be written any more: Python would complain at exit about what it could not write."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
