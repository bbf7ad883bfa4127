"""The sound server, PulseAudio or PipeWire in its place, asked through `pactl`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Final

from vcfx.devices.device import Direction
from vcfx.devices.packages import install_command, sound_server_command
from vcfx.errors import DeviceError

TIMEOUT_S: Final = 5.0
_HEADING: Final = re.compile(r"^(?:Sink|Source) #\d+$")
_FIELD: Final = re.compile(r"^\t([A-Z][A-Za-z ]+): (.*)$")
_PROPERTY: Final = re.compile(r'^\t\t([\w.-]+) = "(.*)"$')
_RATE: Final = re.compile(r"(\d+)ch (\d+)Hz")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A sink (something to play into) or a source (something to record from) of the sound server."""

    name: str
    description: str
    direction: Direction
    channels: int
    sample_rate_hz: int
    module: int | None = None
    monitor_of: str = ""
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Which sound server answers, and its defaults."""

    name: str
    default_sink: str
    default_source: str


def pactl(*arguments: str) -> str:
    """Run `pactl` and return what it prints.

    Raises
    ------
    DeviceError
        Where it is not installed, no server answers or the server refuses.
    """
    program = shutil.which("pactl")
    if program is None:
        raise DeviceError(f"the program pactl is missing; install it with: {install_command('pactl')}")
    # Untranslated but UTF-8: in plain C, and in its JSON output, pactl mangles names like "Gerät".
    env = {key: value for key, value in os.environ.items() if key != "LANGUAGE"} | {"LC_ALL": "C.UTF-8"}
    command = [program, *arguments]
    try:
        done = subprocess.run(command, env=env, capture_output=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise DeviceError(f"the sound server did not answer within {TIMEOUT_S:g} s") from error
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
        if "Connection" in reason[-1]:
            raise DeviceError(f"no PulseAudio or PipeWire server answers; start one with: {sound_server_command()}")
        raise DeviceError(f"the sound server refused '{' '.join(arguments[:2])}' ({reason[-1]})")
    return done.stdout.decode(errors="replace")


def server_info() -> ServerInfo:
    """Return which sound server answers."""
    fields = dict(line.split(": ", 1) for line in pactl("info").splitlines() if ": " in line)
    return ServerInfo(
        fields.get("Server Name", "unknown"), fields.get("Default Sink", ""), fields.get("Default Source", "")
    )


def endpoints(direction: Direction) -> list[Endpoint]:
    """Return the sound server's sources (``input``) or sinks (``output``), monitors among the sources."""
    listing = pactl("list", "sources" if direction == "input" else "sinks")
    return parse_endpoints(listing, direction)


def parse_endpoints(listing: str, direction: Direction) -> list[Endpoint]:
    """Read what ``pactl list sinks`` or ``pactl list sources`` prints."""
    found: list[Endpoint] = []
    entry: list[str] = []
    for line in [*listing.splitlines(), "Sink #0"]:
        if not _HEADING.match(line):
            entry.append(line)
            continue
        if entry:
            found.append(_endpoint(entry, direction))
        entry = []
    return found


def _endpoint(lines: list[str], direction: Direction) -> Endpoint:
    fields = {match[1]: match[2] for line in lines if (match := _FIELD.match(line))}
    properties = {match[1]: match[2] for line in lines if (match := _PROPERTY.match(line))}
    rate = _RATE.search(fields.get("Sample Specification", ""))
    module = fields.get("Owner Module", "")
    monitor_of = fields.get("Monitor of Sink", "n/a")
    return Endpoint(
        name=fields.get("Name", ""),
        description=fields.get("Description", ""),
        direction=direction,
        channels=int(rate[1]) if rate else 2,
        sample_rate_hz=int(rate[2]) if rate else 48_000,
        module=int(module) if module.isdigit() and int(module) != 0xFFFF_FFFF else None,
        monitor_of="" if monitor_of == "n/a" else monitor_of,
        properties=properties,
    )
