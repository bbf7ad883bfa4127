"""The calm terminal display of `vcfx run`: meters, latency, drift, late blocks, keys."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from vcfx.engine.session import LiveSession

_FLOOR_DB, _WIDTH = -60.0, 40
_HOT_DB, _WARM_DB = -3.0, -12.0
KEY_HELP = "[b] bypass   [m] mute   [p]/[n] previous/next preset   [q] quit"


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


def latency_line(session: LiveSession) -> str:
    """Return the stated latency by part, and the sum of what is known."""
    stated = session.stated_latency_ms()
    names = {
        "input_device_ms": "input",
        "clock_bridge_ms": "clocks",
        "preset_ms": "voice",
        "output_device_ms": "output",
    }
    known = [value for value in stated.values() if value is not None]
    parts = [f"{names[key]} {milliseconds(value)}" for key, value in stated.items() if key in names]
    if session.one_clock:
        parts = [part for part in parts if not part.startswith("clocks")]
    unknown = len(known) < len(parts)
    return f"{'more than ' if unknown else ''}{sum(known):.1f} ms  ({' + '.join(parts)}) as stated"


def live_view(session: LiveSession, seconds: float, notice: str = "", recording: str = "") -> RenderableType:
    """Return the whole display for one moment."""
    engine = session.engine
    levels, stats = engine.levels(), engine.statistics()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", justify="right")
    grid.add_column()
    flags = " BYPASS: your own voice is heard" if engine.bypassed else ""
    flags += " MUTED" if engine.muted else ""
    grid.add_row("voice", Text(engine.preset.name, "bold cyan") + Text(flags, "bold red"))
    grid.add_row("input", Text(f"{session.input.device.name}, {session.input_rate} Hz"))
    grid.add_row("", meter(levels.input_peak_db, levels.input_rms_db))
    grid.add_row("output", Text(f"{session.output.device.name}, {session.output_rate} Hz, block {engine.block}"))
    grid.add_row("", meter(levels.output_peak_db, levels.output_rms_db))
    grid.add_row("latency", latency_line(session))
    if stats.drift_ppm is not None:
        faults = f"under-runs {stats.clock_underruns}, dropped {stats.clock_dropped_frames} frames"
        grid.add_row("clocks", f"drift {stats.drift_ppm:+.0f} ppm, {faults}")
    grid.add_row("blocks", f"{stats.blocks}, late {stats.late_blocks}, concealed {stats.concealed_blocks}")
    busy = f"callback p50 {stats.callback.p50_us:.0f} µs, p99 {stats.callback.p99_us:.0f} µs"
    if stats.worker.count:
        busy += f"; worker p99 {stats.worker.p99_us:.0f} µs"
    grid.add_row("time", busy)
    if recording:
        grid.add_row("record", Text(recording, "magenta"))
    problem = session.problem or notice or engine.worker.last_error
    foot = Text(problem, "bold yellow") if problem else Text(KEY_HELP, "grey62")
    minutes, rest = divmod(int(seconds), 60)
    return Panel(Group(grid, Text(), foot), title=f"vcfx  {minutes}:{rest:02d}", border_style="cyan", expand=False)
