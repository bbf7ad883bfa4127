"""Virtual microphones on Linux: a sink to play into, and a source that other programs see as a microphone.

Both are modules of the sound server (PulseAudio, or PipeWire in its place), loaded through `pactl`.
"""

from __future__ import annotations

import re
import sys
import time
import zlib
from dataclasses import dataclass
from typing import Final

from vcfx.devices import pulse
from vcfx.devices.catalogue import MICROPHONE_PROPERTY
from vcfx.devices.pulse import Endpoint
from vcfx.errors import DeviceError

DEFAULT_NAME: Final = "VCFX Microphone"
MAX_NAME_LENGTH: Final = 60
APPEARANCE_TIMEOUT_S: Final = 5.0  # PipeWire makes nodes in its own time


@dataclass(frozen=True, slots=True)
class VirtualMicrophone:
    """A virtual microphone, or what is left of one: `sink` or `source` may be missing."""

    name: str
    sink: Endpoint | None
    source: Endpoint | None

    @property
    def is_complete(self) -> bool:
        """Whether both halves are there."""
        return self.sink is not None and self.source is not None

    @property
    def speaker(self) -> str:
        """The name to play into."""
        return self.sink.description if self.sink else speaker_title(self.name)


def list_microphones() -> list[VirtualMicrophone]:
    """Return the virtual microphones that vcfx made, whole or broken.

    Raises
    ------
    DeviceError
        Where no sound server answers.
    """
    _require_linux()
    sinks = {e.properties[MICROPHONE_PROPERTY]: e for e in _own(pulse.endpoints("output"))}
    sources = {e.properties[MICROPHONE_PROPERTY]: e for e in _own(pulse.endpoints("input"))}
    return [VirtualMicrophone(name, sinks.get(name), sources.get(name)) for name in sorted({*sinks, *sources})]


def create_microphone(name: str = DEFAULT_NAME) -> tuple[VirtualMicrophone, bool]:
    """Make a virtual microphone, unless it exists.

    Parameters
    ----------
    name
        How other programs show it: up to 60 characters, without quotes and backslashes.

    Returns
    -------
    tuple
        The microphone, and whether it is new.

    Raises
    ------
    DeviceError
        For a name that is not allowed, and where the sound server is missing or refuses.
    """
    _check_name(name)
    existing = _find(name)
    if existing is not None and existing.is_complete:
        return existing, False
    if existing is not None:
        _unload(existing)
    taken = {e.name for e in pulse.endpoints("output") + pulse.endpoints("input")}
    if clash := taken & {sink_name(name), source_name(name)}:
        raise DeviceError(f"the name '{name}' is too close to one in use ('{clash.pop()}'); choose another")
    loaded: list[str] = []
    try:
        loaded.extend(pulse.pactl("load-module", *arguments).strip() for arguments in module_arguments(name))
        return _wait_for(name), True
    except DeviceError:
        for module in reversed(loaded):
            pulse.pactl("unload-module", module)
        raise


def remove_microphones(name: str | None = DEFAULT_NAME) -> list[VirtualMicrophone]:
    """Remove a virtual microphone, or with None all of them; only what vcfx made is touched.

    Returns
    -------
    list
        What was removed; empty where there was nothing of that name.
    """
    removed = [microphone for microphone in list_microphones() if name in (None, microphone.name)]
    for microphone in removed:
        _unload(microphone)
    return removed


def module_arguments(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what follows ``load-module`` for the sink and for the source.

    The sound server takes quotes off twice, once around the list of properties and once around each value.
    """
    sink, source = sink_name(name), source_name(name)
    return (
        ("module-null-sink", f"sink_name={sink}", "rate=48000", "channels=2", "format=float32le",
         f"sink_properties='device.description=\"{speaker_title(name)}\" {MICROPHONE_PROPERTY}=\"{name}\"'"),
        ("module-remap-source", f"source_name={source}", f"master={sink}.monitor",
         f"source_properties='device.description=\"{name}\" {MICROPHONE_PROPERTY}=\"{name}\"'"),
    )  # fmt: skip


def pulseaudio_lines(name: str) -> str:
    """Return the lines for PulseAudio's ``default.pa`` that make the microphone at every start."""
    return "\n".join("load-module " + " ".join(arguments) for arguments in module_arguments(name))


def pipewire_lines(name: str) -> str:
    """Return a file for PipeWire's ``pipewire-pulse.conf.d`` that makes the microphone at every start."""
    commands = [" ".join(arguments).replace('"', '\\"') for arguments in module_arguments(name)]
    entries = "\n".join(f'  {{ cmd = "load-module" args = "{command}" }}' for command in commands)
    return f"pulse.cmd = [\n{entries}\n]"


def speaker_title(name: str) -> str:
    """Return what the sink of a microphone is called."""
    return name.replace("Microphone", "Speaker") if "Microphone" in name else f"{name} Speaker"


def source_name(name: str) -> str:
    """Return the sound server's name for the source."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_").removeprefix("vcfx_")
    if not name.isascii():
        slug = f"{slug}_{zlib.crc32(name.encode()):08x}".strip("_")
    return f"vcfx_{slug}"


def sink_name(name: str) -> str:
    """Return the sound server's name for the sink."""
    source = source_name(name)
    return source.replace("microphone", "speaker") if "microphone" in source else f"{source}_speaker"


def _own(endpoints: list[Endpoint]) -> list[Endpoint]:
    return [e for e in endpoints if MICROPHONE_PROPERTY in e.properties and not e.monitor_of]


def _find(name: str) -> VirtualMicrophone | None:
    return next((microphone for microphone in list_microphones() if microphone.name == name), None)


def _wait_for(name: str) -> VirtualMicrophone:
    deadline = time.monotonic() + APPEARANCE_TIMEOUT_S
    while time.monotonic() < deadline:
        microphone = _find(name)
        if microphone is not None and microphone.is_complete:
            return microphone
        time.sleep(0.05)
    raise DeviceError(f"the sound server took '{name}' but did not show it within {APPEARANCE_TIMEOUT_S:g} s")


def _unload(microphone: VirtualMicrophone) -> None:
    modules = pulse.pactl("list", "short", "modules")
    for endpoint in (microphone.source, microphone.sink):
        if endpoint is None:
            continue
        # PipeWire uses numbers again: look whether this one is still ours.
        ours = rf"^{endpoint.module}\tmodule-[\w-]+\t.*{re.escape(MICROPHONE_PROPERTY)}="
        if endpoint.module is None or not re.search(ours, modules, re.MULTILINE):
            raise DeviceError(
                f"'{microphone.name}' is made by the sound server's configuration; remove it there and restart it"
            )
        pulse.pactl("unload-module", str(endpoint.module))


def _check_name(name: str) -> None:
    allowed = name.isprintable() and name == name.strip() and not set(name) & set("'\"\\")
    if not allowed or not 0 < len(name) <= MAX_NAME_LENGTH:
        raise DeviceError(
            f"the name {name!r} is not allowed; 1 to {MAX_NAME_LENGTH} printable characters without quotes and "
            "backslashes"
        )


def _require_linux() -> None:
    if sys.platform != "linux":
        raise DeviceError(f"virtual microphones can be made on Linux only, not on {sys.platform}")
