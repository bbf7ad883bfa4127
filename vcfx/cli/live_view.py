"""The calm terminal display of `vcfx run`: meters, latency, drift, late blocks, keys."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from vcfx.control.live_state import LiveState, Meters
from vcfx.engine.statistics import EngineStatistics

_FLOOR_DB, _WIDTH = -60.0, 40
_HOT_DB, _WARM_DB = -3.0, -12.0


@dataclass(frozen=True, slots=True)
class Foot:
    """The line at the bottom: keys, unless there is something to be told."""

    keys: str
    notice: str = ""


def meter(peak_db: float, rms_db: float) -> Text:
    """Return a bar: solid up to the RMS, light up to the peak, coloured by the peak."""

    def cells(level_db: float) -> int:
        ratio = (min(max(level_db, _FLOOR_DB), 0.0) - _FLOOR_DB) / -_FLOOR_DB
        return round(ratio * _WIDTH)

    colour = "red" if peak_db > _HOT_DB else "yellow" if peak_db > _WARM_DB else "green"
    solid, light = cells(rms_db), cells(peak_db)
    bar = Text("█" * solid, colour)
    bar.append("▒" * max(0, light - solid), colour)
    bar.append("·" * (_WIDTH - max(solid, light)), "grey39")
    bar.append(f" {peak_db:6.1f} dB" if peak_db > -119 else "   silent", "grey70")
    return bar


def milliseconds(value: float | None) -> str:
    """Return a latency for people; drivers that state nothing sensible show as unknown."""
    return "unknown" if value is None else f"{value:.1f} ms"


def latency_line(state: LiveState, one_clock: bool) -> str:
    """Return the stated latency by part, and the sum of what is known."""
    stated = state.latency_ms
    names = {
        "input_device_ms": "input",
        "clock_bridge_ms": "clocks",
        "preset_ms": "voice",
        "output_device_ms": "output",
    }
    known = [value for value in stated.values() if value is not None]
    parts = [f"{names[key]} {milliseconds(value)}" for key, value in stated.items() if key in names]
    if one_clock:
        parts = [part for part in parts if not part.startswith("clocks")]
    unknown = len(known) < len(parts)
    return f"{'more than ' if unknown else ''}{sum(known):.1f} ms  ({' + '.join(parts)}) as stated"


def live_view(state: LiveState, meters: Meters, stats: EngineStatistics, one_clock: bool, foot: Foot) -> RenderableType:
    """Return the whole display for one moment."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", justify="right")
    grid.add_column()
    grid.add_row("voice", _voice(state))
    grid.add_row("input", Text(f"{state.input}, {state.input_rate_hz} Hz"))
    grid.add_row("", meter(meters.input_peak_db, meters.input_rms_db))
    grid.add_row("output", Text(f"{state.output}, {state.output_rate_hz} Hz, block {state.block_frames}"))
    grid.add_row("", meter(meters.output_peak_db, meters.output_rms_db))
    grid.add_row("latency", latency_line(state, one_clock))
    if stats.drift_ppm is not None:
        faults = f"under-runs {stats.clock_underruns}, dropped {stats.clock_dropped_frames} frames"
        grid.add_row("clocks", f"drift {stats.drift_ppm:+.0f} ppm, {faults}")
    grid.add_row("blocks", f"{stats.blocks}, late {stats.late_blocks}, concealed {stats.concealed_blocks}")
    busy = f"callback p50 {stats.callback.p50_us:.0f} µs, p99 {stats.callback.p99_us:.0f} µs"
    if stats.worker.count:
        busy += f"; worker p99 {stats.worker.p99_us:.0f} µs"
    grid.add_row("time", busy)
    if state.recording is not None:
        grid.add_row("record", _recording(state))
    problem = state.problem or foot.notice
    bottom = Text(problem, "bold yellow") if problem else Text(foot.keys, "grey62")
    minutes, rest = divmod(int(meters.seconds), 60)
    return Panel(Group(grid, Text(), bottom), title=f"vcfx  {minutes}:{rest:02d}", border_style="cyan", expand=False)


def _voice(state: LiveState) -> Text:
    line = Text(state.preset, "bold cyan")
    if state.changed:
        line.append(" (changed)", "cyan")
    if state.voice:
        line.append(f", voice {state.voice}", "cyan")
    flags = " BYPASS: your own voice is heard" if state.bypassed else ""
    flags += " MUTED" if state.muted else ""
    line.append(flags, "bold red")
    if state.talk_mode == "push":
        line.append(
            "  ON AIR" if state.talking else "  push to talk: silent", "bold green" if state.talking else "yellow"
        )
    return line


def _recording(state: LiveState) -> Text:
    assert state.recording is not None
    if state.recording.problem:
        return Text(state.recording.problem, "bold yellow")
    minutes, rest = divmod(int(state.recording.seconds), 60)
    return Text(f"{minutes}:{rest:02d}  {', '.join(state.recording.paths)}", "magenta")
