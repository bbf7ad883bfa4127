"""The list of audio devices, and how one of them is found by what a person types."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from vcfx.devices import pulse
from vcfx.devices.cables import cable_named
from vcfx.devices.device import AudioDevice, Direction
from vcfx.devices.portaudio import sounddevice
from vcfx.errors import DeviceError, nearest

PULSE_HOST_API: Final = "PulseAudio"
MICROPHONE_PROPERTY: Final = "vcfx.microphone"
#: ALSA's plugins for the sound server, and the variables that choose the source and the sink.
PULSE_VARIABLES: Final = {
    "pulse": ("PULSE_SOURCE", "PULSE_SINK"),
    "pipewire": ("PIPEWIRE_NODE", "PIPEWIRE_NODE"),
}
#: Beyond this PortAudio talks nonsense (PipeWire's JACK shim says 89478482 ms).
MAX_LATENCY_MS: Final = 10_000.0

#: Which host API is preferred where several offer a device.
#: Linux: a JACK server runs only where somebody started it, and gives the shortest and steadiest latency; otherwise the
#: sound server's devices, because ALSA's own are usually held by the sound server. The default device without JACK is
#: PortAudio's, which follows the desktop's settings. Windows: WASAPI, because MME and DirectSound add about 100 ms and
#: cut names at 31 letters. macOS has only Core Audio.
PREFERRED_HOST_APIS: Final[dict[str, tuple[str, ...]]] = {
    "linux": ("JACK Audio Connection Kit", PULSE_HOST_API, "ALSA"),
    "win32": ("Windows WASAPI", "Windows DirectSound", "MME"),
    "darwin": ("Core Audio",),
}
#: Host APIs whose default device comes before PortAudio's own choice.
DEFAULT_HOST_APIS: Final = ("JACK Audio Connection Kit", "Windows WASAPI", "Core Audio")


def list_devices() -> list[AudioDevice]:
    """Return every audio device; on Linux also the sinks and sources of the sound server.

    Raises
    ------
    DeviceError
        Where the PortAudio library is missing.
    """
    portaudio = sounddevice()
    host_apis = list(portaudio.query_hostapis())
    default_api = int(portaudio._lib.Pa_GetDefaultHostApi())
    defaults = {
        direction: _default_index(host_apis, default_api, f"default_{direction}_device")
        for direction in ("input", "output")
    }
    devices = [
        _from_portaudio(index, info, host_apis, defaults) for index, info in enumerate(portaudio.query_devices())
    ]
    return devices + _behind_pulse(devices, [str(api["name"]) for api in host_apis])


def default_device(direction: Direction, devices: Sequence[AudioDevice] | None = None) -> AudioDevice:
    """Return the device that is used where none was named.

    Raises
    ------
    DeviceError
        Where there is no device with that direction.
    """
    devices = list_devices() if devices is None else devices
    usable = [device for device in devices if device.channels(direction)]
    if not usable:
        raise DeviceError(f"there is no {direction} device; `vcfx doctor` says what is missing")
    return next((device for device in usable if device.is_default(direction)), usable[0])


def find_device(
    query: int | str | None, direction: Direction, devices: Sequence[AudioDevice] | None = None
) -> AudioDevice:
    """Return the device that `query` means.

    Parameters
    ----------
    query
        PortAudio's number; a name, whole or in part, in any case; the same with its host API, ``"JACK:system"`` or
        ``"system, JACK"``; a sink or source of the sound server by its description or name. None, an empty text and
        ``"default"`` mean the default device.
    direction
        What the device must be able to do.
    devices
        Where to look, if not in `list_devices`.

    Raises
    ------
    DeviceError
        Where no device fits, or several do and the preferred host API does not decide between them.
    """
    devices = list_devices() if devices is None else devices
    if query is None or query == "" or query == "default":
        return default_device(direction, devices)
    if isinstance(query, int) or query.strip().isdecimal():
        return _by_index(int(query), direction, devices)
    usable = [device for device in devices if device.channels(direction)]
    if not usable:
        raise DeviceError(
            f"there is no {direction} device '{query}', nor any other; `vcfx doctor` says what is missing"
        )
    found = _matches(query, usable)
    if not found:
        names = dict.fromkeys(device.name for device in usable)
        raise DeviceError(f"there is no {direction} device '{query}'{nearest(query, names)}")
    return _the_one(query, direction, found)


def _by_index(index: int, direction: Direction, devices: Sequence[AudioDevice]) -> AudioDevice:
    for device in devices:
        if device.index == index and not device.environment:
            if not device.channels(direction):
                raise DeviceError(f"device {index}, '{device.name}', has no {direction} channels")
            return device
    known = sorted({device.index for device in devices})
    allowed = f"0 to {known[-1]}" if known else "none, there are no devices"
    raise DeviceError(f"there is no device number {index}; allowed: {allowed}")


def _matches(query: str, devices: Sequence[AudioDevice]) -> list[AudioDevice]:
    exact = [device for device in devices if query in (device.name, device.identifier)]
    if exact:
        return exact
    for name, host_api in _host_api_forms(query):
        of_api = [device for device in devices if host_api.casefold() in device.host_api.casefold()]
        if of_api and (found := _by_name(name, of_api)):
            return found
    return _by_name(query, devices)


def _host_api_forms(query: str) -> list[tuple[str, str]]:
    """Split ``HOSTAPI:name`` and ``name, HOSTAPI`` into (name, host API)."""
    before, colon, after = query.partition(":")
    forms = [(after.strip(), before.strip())] if colon else []
    name, comma, last = query.rpartition(",")
    if comma:
        forms.append((name.strip(), last.strip()))
    return [form for form in forms if len(form[1]) > 1]


def _by_name(query: str, devices: Sequence[AudioDevice]) -> list[AudioDevice]:
    """Return the devices that fit best: the whole name, then the name in any case, a part of it, all words of it."""
    folded = query.casefold()
    words = folded.split()
    tests: list[Callable[[str], bool]] = [
        lambda name: name == query,
        lambda name: name.casefold() == folded,
        lambda name: folded in name.casefold(),
        lambda name: all(word in name.casefold() for word in words),
    ]
    for fits in tests:
        by_name = [device for device in devices if fits(device.name)]
        found = by_name or [device for device in devices if device.identifier and fits(device.identifier)]
        if found:
            return [device for device in found if not device.is_monitor] or found
    return []


def _the_one(query: str, direction: Direction, found: Sequence[AudioDevice]) -> AudioDevice:
    best = min(_rank(device.host_api) for device in found)
    preferred = [device for device in found if _rank(device.host_api) == best]
    if len(preferred) == 1:
        return preferred[0]
    candidates = ", ".join(_distinctly(device) for device in preferred)
    raise DeviceError(
        f"'{query}' fits {len(preferred)} {direction} devices: {candidates}; name one of them by what is in brackets"
    )


def _distinctly(device: AudioDevice) -> str:
    return f"'{device.name}' ({device.identifier or f'number {device.index}'})"


def _rank(host_api: str, platform: str = sys.platform) -> int:
    order = PREFERRED_HOST_APIS.get(platform, ())
    return order.index(host_api) if host_api in order else len(order)


def _default_index(host_apis: Sequence[Mapping[str, Any]], default_api: int, key: str) -> int:
    chosen = [api for name in DEFAULT_HOST_APIS for api in host_apis if api["name"] == name]
    if 0 <= default_api < len(host_apis):
        chosen.append(host_apis[default_api])
    return next((int(api[key]) for api in [*chosen, *host_apis] if int(api[key]) >= 0), -1)


def _from_portaudio(
    index: int, info: Mapping[str, Any], host_apis: Sequence[Mapping[str, Any]], defaults: Mapping[str, int]
) -> AudioDevice:
    return AudioDevice(
        index=index,
        name=str(info["name"]),
        host_api=str(host_apis[info["hostapi"]]["name"]),
        max_input_channels=int(info["max_input_channels"]),
        max_output_channels=int(info["max_output_channels"]),
        default_sample_rate_hz=round(info["default_samplerate"]),
        low_input_latency_ms=plausible_latency_ms(info["default_low_input_latency"]),
        low_output_latency_ms=plausible_latency_ms(info["default_low_output_latency"]),
        is_default_input=index == defaults["input"],
        is_default_output=index == defaults["output"],
        is_virtual=cable_named(str(info["name"])) is not None,
    )


def plausible_latency_ms(latency_s: float) -> float | None:
    """Return a latency in milliseconds, or None where PortAudio gives none or nonsense."""
    latency_ms = 1_000.0 * latency_s
    return latency_ms if math.isfinite(latency_ms) and 0.0 < latency_ms <= MAX_LATENCY_MS else None


def _behind_pulse(devices: Sequence[AudioDevice], host_apis: Sequence[str]) -> list[AudioDevice]:
    """Return the sound server's sinks and sources, which PortAudio shows only as one ALSA device."""
    by_name = {device.name: device for device in devices if device.host_api == "ALSA"}
    carrier = next((by_name[name] for name in PULSE_VARIABLES if name in by_name), None)
    if carrier is None or PULSE_HOST_API in host_apis:  # newer PortAudio lists them by itself
        return []
    found: list[pulse.Endpoint] = []
    with contextlib.suppress(DeviceError):  # no pactl, or no server: the plain list will do
        found = pulse.endpoints("input") + pulse.endpoints("output")
    if carrier.name == "pipewire":  # monitors are not nodes of their own there
        found = [endpoint for endpoint in found if not endpoint.monitor_of]
    return [_from_endpoint(endpoint, carrier) for endpoint in found]


def _from_endpoint(endpoint: pulse.Endpoint, carrier: AudioDevice) -> AudioDevice:
    records = endpoint.direction == "input"
    variable = PULSE_VARIABLES[carrier.name][0 if records else 1]
    return AudioDevice(
        index=carrier.index,
        name=endpoint.description or endpoint.name,
        host_api=PULSE_HOST_API,
        max_input_channels=endpoint.channels if records else 0,
        max_output_channels=0 if records else endpoint.channels,
        default_sample_rate_hz=endpoint.sample_rate_hz,
        low_input_latency_ms=carrier.low_input_latency_ms if records else None,
        low_output_latency_ms=None if records else carrier.low_output_latency_ms,
        identifier=endpoint.name,
        environment=((variable, endpoint.name),),
        is_monitor=bool(endpoint.monitor_of),
        is_virtual=MICROPHONE_PROPERTY in endpoint.properties,
    )
