"""`vcfx run`: change a voice live."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import time
from typing import TYPE_CHECKING

from vcfx.errors import VcfxError

from .live_program import LiveProgram, add_live_arguments, end_like_ctrl_c, open_live

if TYPE_CHECKING:
    from vcfx.engine.statistics import EngineStatistics
    from vcfx.graph.plan import RenderPlan

_FRAME_S = 0.1
_JSON_EVERY_S = 1.0
_HEARS_ITSELF = "this input records what the output plays: the voice will go round; choose a microphone with -i"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `vcfx run`."""
    add_live_arguments(parser)
    parser.add_argument("--duration", type=float, metavar="S", help="stop after so many seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object a second instead of the display")


def run(options: argparse.Namespace) -> int:
    """Run until the time is up, `q`, Ctrl-C or SIGTERM; returns the exit code."""
    if options.duration is not None and not options.duration > 0:
        raise VcfxError(f"--duration is {options.duration:g}; allowed: more than 0 seconds")
    end_like_ctrl_c()
    with open_live(options) as program:
        with contextlib.suppress(KeyboardInterrupt):  # the usual way to end
            _loop(program, options)
        name, paths = program.control.state().preset, _recorded(program)
        stats = program.session.engine.statistics()
        rate = program.session.output_rate
    if not options.json:
        print(_summary(name, stats, rate))
        if paths and not program.problem:
            print(f"recorded to {', '.join(paths)}")
    return program.exit_code()


def report(program: LiveProgram) -> dict[str, object]:
    """Return everything that a program may want to know of a running voice."""
    session, state = program.session, program.control.state()
    engine = session.engine
    return {
        "preset": state.preset,
        "voice": state.voice,
        "watermark": _watermark(engine.plan),
        "input": session.input.device.title,
        "output": session.output.device.title,
        "input_rate_hz": session.input_rate,
        "output_rate_hz": session.output_rate,
        "block_frames": engine.block,
        "latency": session.stated_latency_ms(),
        "levels": dataclasses.asdict(engine.levels()),
        "statistics": dataclasses.asdict(engine.statistics()),
        "bypassed": state.bypassed,
        "muted": state.muted,
        "talking": state.talking,
        "recording": None if state.recording is None else dataclasses.asdict(state.recording),
        "problem": state.problem,
    }


def _watermark(plan: RenderPlan) -> dict[str, int] | None:
    """Return what the mark says of the voice that is heard; None where there is none."""
    from vcfx.marking.plan_mark import mark_of

    mark = mark_of(plan.graph)
    return None if mark is None else dataclasses.asdict(mark.payload)


def _loop(program: LiveProgram, options: argparse.Namespace) -> None:
    if options.json:
        _loop_json(program, options.duration)
    else:
        _loop_view(program, options.duration)


def _loop_json(program: LiveProgram, duration_s: float | None) -> None:
    start_s = time.monotonic()
    while not program.session.hung and (duration_s is None or time.monotonic() - start_s < duration_s):
        left_s = _JSON_EVERY_S if duration_s is None else duration_s - (time.monotonic() - start_s)
        time.sleep(max(0.0, min(_JSON_EVERY_S, left_s)))
        print(json.dumps(report(program)), flush=True)


def _loop_view(program: LiveProgram, duration_s: float | None) -> None:
    from rich.console import Console
    from rich.live import Live

    from .keys import key_reader
    from .live_keys import LiveKeys, key_help
    from .live_view import Foot, live_view

    console, control, bank = Console(), program.control, program.control.actions.bank.names
    keys = LiveKeys(control, bank)
    keys.notice = _HEARS_ITSELF if program.session.hears_itself else ""
    start_s = time.monotonic()
    with key_reader() as read_key, Live(console=console, auto_refresh=False, transient=False) as live:
        while not keys.quit and not program.session.hung:
            if duration_s is not None and time.monotonic() - start_s >= duration_s:
                return
            if console.is_terminal:
                state, session = control.state(), program.session
                foot = Foot(key_help(state, bank), keys.notice or session.engine.worker.last_error)
                view = live_view(state, control.meters(), session.engine.statistics(), session.one_clock, foot)
                live.update(view, refresh=True)
            if read_key is None:
                time.sleep(_FRAME_S)
            elif pressed := read_key(_FRAME_S):
                keys.press(pressed)


def _recorded(program: LiveProgram) -> tuple[str, ...]:
    recording = program.control.state().recording
    return () if recording is None or recording.problem else recording.paths


def _summary(name: str, stats: EngineStatistics, rate_hz: int) -> str:
    return (
        f"{stats.frames / rate_hz:.1f} s changed with '{name}': {stats.blocks} blocks, {stats.late_blocks} late, "
        f"{stats.concealed_blocks} concealed; callback p99 {stats.callback.p99_us:.0f} µs"
    )
