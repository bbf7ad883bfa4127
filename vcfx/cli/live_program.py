"""What `vcfx run`, `vcfx serve` and `vcfx ui` have in common: options, session, control, clients, an orderly end."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vcfx.errors import VcfxError

from .live_clients import add_client_arguments, open_clients
from .voice_options import add_voice_arguments, voice_parameters, wants_voice
from .watermark import say_if_hidden

if TYPE_CHECKING:
    from vcfx.control.live_control import LiveControl
    from vcfx.control.preset_source import PresetSource, Wanted
    from vcfx.engine.session import LiveSession
    from vcfx.engine.streams import Backend

MAX_BLOCK: Final = 8_192
DEFAULT_PRESET: Final = "deep"
_ANSWER_S: Final = 10.0


@dataclass
class LiveProgram:
    """A voice that runs.

    Parameters
    ----------
    control
        The surface; also knows the session.
    clients
        What the options have opened beside the program's own display.
    problem
        After the end: what a person must be told, or nothing.
    hung
        After the end: whether a sound driver hangs, so that Python could not exit by itself (`exit_code` does).
    """

    control: LiveControl
    clients: list[object] = field(default_factory=list)
    problem: str = ""
    hung: bool = False

    @property
    def session(self) -> LiveSession:
        """The session that runs by now; another one after devices have changed."""
        return self.control.session

    def exit_code(self) -> int:
        """Print the problem, if there is one, and return the exit code; a hung driver ends the process here."""
        if self.problem:
            print(f"vcfx: {self.problem}", file=sys.stderr)
        code = 2 if self.problem else 0
        if self.hung:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        return code


def add_live_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of everything that runs a voice."""
    parser.add_argument("-i", "--input", metavar="D", help="input device: number or part of its name")
    parser.add_argument("-o", "--output", metavar="D", help="output device: number or part of its name")
    parser.add_argument(
        "-p", "--preset", metavar="P", help="preset: name or file (default: deep, or none with a voice)"
    )
    parser.add_argument("--bank", metavar="P,P", help="presets to keep ready, to switch between within a block or two")
    parser.add_argument("--block", type=int, default=128, metavar="N", help="frames per callback (default: 128)")
    parser.add_argument("--rate", type=int, metavar="HZ", help="sample rate (default: 48000 where it works)")
    parser.add_argument("--channels", type=int, default=1, metavar="N", help="1 for a voice, 2 for stereo (default: 1)")
    parser.add_argument("--latency", type=float, metavar="MS", help="latency to ask of the drivers")
    parser.add_argument("--monitor", metavar="D", help="hear the result on one more output device")
    parser.add_argument("--push-to-talk", action="store_true", help="silent until the talk key lets the voice through")
    parser.add_argument("--record", type=Path, metavar="FILE", help="record from the start (.flac, .wav, .ogg)")
    parser.add_argument(
        "--record-sides",
        choices=("dry", "wet", "both"),
        default="wet",
        help="what to record: dry (the input), wet (the result), or both, as NAME-dry and NAME-wet (default: wet)",
    )
    add_voice_arguments(parser)
    add_client_arguments(parser)


def check_stream_options(options: argparse.Namespace) -> None:
    """Refuse block, rate and latency that no stream could have."""
    if not 16 <= options.block <= MAX_BLOCK:
        raise VcfxError(f"--block is {options.block}; allowed: 16 to {MAX_BLOCK} frames")
    if options.rate is not None and options.rate < 1:
        raise VcfxError(f"--rate is {options.rate}; allowed: what the devices take, in Hz")
    if options.latency is not None and not 0 <= options.latency <= 2_000:
        raise VcfxError(f"--latency is {options.latency:g}; allowed: 0 to 2000 milliseconds")


@contextlib.contextmanager
def open_live(options: argparse.Namespace, backend: Backend | None = None) -> Iterator[LiveProgram]:
    """Run a voice as the options of `add_live_arguments` say; at the end everything is closed in order.

    Parameters
    ----------
    backend
        The audio system; None for the real one.

    Raises
    ------
    VcfxError
        If an option, a preset, a device or a client will not do; nothing is left open then.
    """
    _check(options)
    with contextlib.ExitStack() as opened:
        opened.enter_context(_speaker_remembered())
        source, running = _presets(options, opened)
        with _first_start_notice(options), _prompt_interrupt(opened.close):
            program = _made(options, source, running, backend)
        opened.callback(_end, program)
        say_if_hidden()
        program.clients = opened.enter_context(open_clients(options, program.control))
        _start(program, options)
        yield program


def end_like_ctrl_c() -> None:
    """Let SIGTERM and the end of the terminal end a run in order: a recording is finished, the terminal put back."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, signal.default_int_handler)


def _check(options: argparse.Namespace) -> None:
    check_stream_options(options)
    if options.channels not in (1, 2):
        raise VcfxError(f"--channels is {options.channels}; allowed: 1 or 2")
    if options.record is not None:
        from vcfx.engine.recording import check_target, target_paths

        for target in target_paths(options.record, options.record_sides).values():
            check_target(target)


def _presets(options: argparse.Namespace, opened: contextlib.ExitStack) -> tuple[PresetSource, Wanted]:
    """Return where presets come from, with the voice in front that the options name, and the first one."""
    from vcfx.control.preset_source import PresetSource

    if not wants_voice(options):
        source = PresetSource()
        return source, source.wanted(options.preset or DEFAULT_PRESET)
    source = PresetSource(opened.enter_context(voice_parameters(options, "live")))
    return source, source.wanted(options.preset or "")


def _bank(options: argparse.Namespace) -> tuple[str, ...]:
    return tuple(name.strip() for name in (options.bank or "").split(",") if name.strip())


def _made(options: argparse.Namespace, source: PresetSource, running: Wanted, backend: Backend | None) -> LiveProgram:
    from vcfx.control.live_control import LiveControl
    from vcfx.engine.portaudio_backend import PortAudioBackend
    from vcfx.engine.session import LiveSession, SessionRequest

    request = SessionRequest(
        options.input,
        options.output,
        options.monitor,
        options.block,
        options.rate,
        options.latency,
        options.channels,
    )
    session = LiveSession(backend or PortAudioBackend(), running.preset, request)
    try:
        return LiveProgram(LiveControl(session, running, source, _bank(options)))
    except VcfxError:
        session.close()
        raise


def _start(program: LiveProgram, options: argparse.Namespace) -> None:
    """Let sound begin, with what is to be on from the first moment."""
    from vcfx.control.messages import Refused, StartRecording, TalkMode

    if options.push_to_talk:
        program.control.submit(TalkMode("push"))
        while program.session.engine.talking:  # not a word before the key
            time.sleep(0.001)
    program.session.start()
    if options.record is not None:
        wish = StartRecording(options.record_sides, str(options.record))
        outcome = program.control.submit(wish).result(_ANSWER_S)
        if isinstance(outcome, Refused):
            raise VcfxError(outcome.reason)


@contextlib.contextmanager
def _speaker_remembered() -> Iterator[None]:
    """Let voices know from the first word on how high whoever spoke last speaks."""
    from vcfx.hosts.speaker_memory import MEMORY
    from vcfx_models.data_folder import data_folder

    MEMORY.open(data_folder())
    try:
        yield
    finally:
        MEMORY.close()


def _end(program: LiveProgram) -> None:
    """Close control and session; what a person must know is kept in the program."""
    recording_problem = program.control.close()
    session = program.session
    session.close()
    program.hung = session.hung
    program.problem = recording_problem
    if session.hung:
        program.problem = session.problem or "the sound driver hung while closing"


def _first_start_notice(options: argparse.Namespace) -> Any:
    """Show that something happens while kernels compile (the first start takes a minute, later ones a second)."""
    from rich.console import Console

    if getattr(options, "json", False) or not sys.stderr.isatty():
        return contextlib.nullcontext()
    return Console(stderr=True).status("preparing the voice (the first start compiles it)")


@contextlib.contextmanager
def _prompt_interrupt(tidy_up: Callable[[], None]) -> Iterator[None]:
    """End the process at once on Ctrl-C: the compiler of the first start would not notice for many seconds.

    Nothing is open yet but what `tidy_up` closes, and the kernel cache is written file by file under temporary names.
    """

    def leave(_number: int, _frame: object) -> None:
        tidy_up()
        shown = "\x1b[?25h\n" if sys.stderr.isatty() else ""  # the spinner hides the cursor
        os.write(2, f"{shown}vcfx: interrupted\n".encode())
        os._exit(130)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
