"""`vcfx run`: change a voice live."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcfx.errors import VcfxError

from .voice_options import add_voice_arguments, voice_parameters, wants_voice

if TYPE_CHECKING:
    from vcfx.engine.recording import Recorder
    from vcfx.engine.session import LiveSession
    from vcfx.presets import Preset

_FRAME_S = 0.1
_JSON_EVERY_S = 1.0
_MAX_BLOCK = 8_192


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `vcfx run`."""
    parser.add_argument("-i", "--input", metavar="D", help="input device: number or part of its name")
    parser.add_argument("-o", "--output", metavar="D", help="output device: number or part of its name")
    parser.add_argument(
        "-p", "--preset", metavar="P", help="preset: name or file (default: deep, or none with a voice)"
    )
    parser.add_argument("--block", type=int, default=128, metavar="N", help="frames per callback (default: 128)")
    parser.add_argument("--rate", type=int, metavar="HZ", help="sample rate (default: 48000 where it works)")
    parser.add_argument("--channels", type=int, default=1, metavar="N", help="1 for a voice, 2 for stereo (default: 1)")
    parser.add_argument("--latency", type=float, metavar="MS", help="latency to ask of the drivers")
    parser.add_argument("--monitor", metavar="D", help="hear the result on one more output device")
    parser.add_argument("--record", type=Path, metavar="FILE", help="record the result (.flac, .wav, .ogg)")
    parser.add_argument("--duration", type=float, metavar="S", help="stop after so many seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object a second instead of the display")
    add_voice_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Run until the time is up, `q`, Ctrl-C or SIGTERM; returns the exit code."""
    _check(options)
    _end_like_ctrl_c()
    with contextlib.ExitStack() as opened:
        if not wants_voice(options):
            from vcfx.presets import load_preset

            return _run(options, load_preset, load_preset(options.preset or "deep"), opened.close)
        load = _voiced_loader(opened.enter_context(voice_parameters(options)))
        return _run(options, load, load(options.preset), opened.close)


def _voiced_loader(parameters: dict[str, Any]) -> Callable[[str | None], Preset]:
    """Return what loads presets so that the voice is in front of them, whichever the keys choose."""
    from vcfx.presets import load_preset
    from vcfx.presets.voice_chain import with_voice

    return lambda name: with_voice(None if name is None else load_preset(name), parameters)


def _run(
    options: argparse.Namespace, load: Callable[[str], Preset], preset: Preset, tidy_up: Callable[[], None]
) -> int:
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
    backend = PortAudioBackend()
    with _first_start_notice(options.json), _prompt_interrupt(tidy_up):
        session = LiveSession(backend, preset, request)
    recorder = None
    try:
        session.start()
        recorder = _recorder(session, options.record)
        _loop(session, recorder, options, load)
    except KeyboardInterrupt:
        pass  # the usual way to end
    finally:
        problem = _end(session, recorder, options.json)
    if problem:
        print(f"vcfx: {problem}", file=sys.stderr)
    code = 2 if problem else 0
    if session.hung:
        tidy_up()
        _leave_hung_driver(code)
    return code


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


def _end_like_ctrl_c() -> None:
    """Let SIGTERM and the end of the terminal end a run in order: a recording is finished, the terminal put back."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, signal.default_int_handler)


def check_stream_options(options: argparse.Namespace) -> None:
    """Refuse block, rate and latency that no stream could have."""
    if not 16 <= options.block <= _MAX_BLOCK:
        raise VcfxError(f"--block is {options.block}; allowed: 16 to {_MAX_BLOCK} frames")
    if options.rate is not None and options.rate < 1:
        raise VcfxError(f"--rate is {options.rate}; allowed: what the devices take, in Hz")
    if options.latency is not None and not 0 <= options.latency <= 2_000:
        raise VcfxError(f"--latency is {options.latency:g}; allowed: 0 to 2000 milliseconds")


def _check(options: argparse.Namespace) -> None:
    check_stream_options(options)
    if options.channels not in (1, 2):
        raise VcfxError(f"--channels is {options.channels}; allowed: 1 or 2")
    if options.duration is not None and not options.duration > 0:
        raise VcfxError(f"--duration is {options.duration:g}; allowed: more than 0 seconds")
    if options.record is not None:
        from vcfx.engine.recording import check_target

        check_target(options.record)


def _first_start_notice(quiet: bool) -> Any:
    """Show that something happens while kernels compile (the first start takes a minute, later ones a second)."""
    from rich.console import Console

    if quiet or not sys.stderr.isatty():
        return contextlib.nullcontext()
    return Console(stderr=True).status("preparing the voice (the first start compiles it)")


def _recorder(session: LiveSession, path: Path | None) -> Recorder | None:
    if path is None:
        return None
    from vcfx.engine.recording import Recorder

    return Recorder(session.engine, path)


def _loop(
    session: LiveSession, recorder: Recorder | None, options: argparse.Namespace, load: Callable[[str], Preset]
) -> None:
    if options.json:
        _loop_json(session, options.duration)
    else:
        _loop_view(session, recorder, options.duration, load)


def _loop_json(session: LiveSession, duration_s: float | None) -> None:
    start_s = time.monotonic()
    while not session.hung and (duration_s is None or time.monotonic() - start_s < duration_s):
        left_s = _JSON_EVERY_S if duration_s is None else duration_s - (time.monotonic() - start_s)
        time.sleep(max(0.0, min(_JSON_EVERY_S, left_s)))
        print(json.dumps(report(session)), flush=True)


def report(session: LiveSession) -> dict[str, object]:
    """Return everything that a program may want to know of a running session."""
    engine = session.engine
    return {
        "preset": engine.preset.name,
        "input": session.input.device.title,
        "output": session.output.device.title,
        "input_rate_hz": session.input_rate,
        "output_rate_hz": session.output_rate,
        "block_frames": engine.block,
        "latency": session.stated_latency_ms(),
        "levels": dataclasses.asdict(engine.levels()),
        "statistics": dataclasses.asdict(engine.statistics()),
        "bypassed": engine.bypassed,
        "muted": engine.muted,
        "problem": session.problem,
    }


def _loop_view(
    session: LiveSession, recorder: Recorder | None, duration_s: float | None, load: Callable[[str], Preset]
) -> None:
    from rich.console import Console
    from rich.live import Live

    from .keys import key_reader
    from .live_keys import LiveKeys
    from .live_view import live_view

    console = Console()
    keys = LiveKeys(session.engine, load)
    if session.hears_itself:
        keys.notice = "this input records what the output plays: the voice will go round; choose a microphone with -i"
    start_s = time.monotonic()
    with key_reader() as read_key, Live(console=console, auto_refresh=False, transient=False) as live:
        while not keys.quit and not session.hung:
            elapsed_s = time.monotonic() - start_s
            if duration_s is not None and elapsed_s >= duration_s:
                return
            recording = f"{recorder.paths[0]}  {recorder.problem}" if recorder else ""
            if console.is_terminal:
                live.update(live_view(session, elapsed_s, keys.notice, recording), refresh=True)
            if read_key is None:
                time.sleep(_FRAME_S)
            elif pressed := read_key(_FRAME_S):
                keys.press(pressed)


def _end(session: LiveSession, recorder: Recorder | None, quiet: bool) -> str:
    """Close everything and print the summary; returns a problem's sentence or nothing."""
    summary = report(session)
    if recorder is not None:
        recorder.close()
    session.close()
    if not quiet:
        stats = session.engine.statistics()
        seconds = stats.frames / session.output_rate
        print(
            f"{seconds:.1f} s changed with '{summary['preset']}': {stats.blocks} blocks, {stats.late_blocks} late, "
            f"{stats.concealed_blocks} concealed; callback p99 {stats.callback.p99_us:.0f} µs"
        )
        if recorder is not None and not recorder.problem:
            print(f"recorded to {recorder.paths[0]}")
    if session.hung:
        return session.problem or "the sound driver hung while closing"
    return recorder.problem if recorder is not None else ""


def _leave_hung_driver(code: int) -> None:
    """A driver that hangs on closing would hang Python's exit as well."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
