"""PortAudio, devices, the sound server, the virtual microphone."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any, Final

from vcfx.devices import pulse
from vcfx.devices.cables import cable_named, cables_for
from vcfx.devices.catalogue import PULSE_VARIABLES
from vcfx.devices.microphone import list_microphones
from vcfx.devices.packages import install_command, pip_command, sound_server_command
from vcfx.doctor.check import Check, run_child, verdict
from vcfx.errors import DeviceError

LISTING_TIMEOUT_S: Final = 30.0

Device = dict[str, Any]


def check_sound() -> list[Check]:
    """Look at everything between PortAudio and a microphone."""
    portaudio, host_apis, devices = _portaudio_and_devices()
    checks = [portaudio]
    if portaudio.status == "ok":
        checks += [_host_apis(host_apis), _devices("input", devices), _devices("output", devices)]
    if sys.platform != "linux":
        return [*checks, _cable(devices)]
    checks.append(_jack(host_apis))
    try:
        server = pulse.server_info()
    except DeviceError as error:
        detail, _, mend = str(error).partition("; ")
        mend = mend.partition(" with: ")[2] or sound_server_command()
        return [*checks, verdict("sound server", False, detail, "extra", mend)]
    checks.append(Check("sound server", "ok", server.name, "extra"))
    if portaudio.status == "ok":
        checks.append(_alsa_plugin(devices))
    return [*checks, *_microphones(server)]


def _portaudio_and_devices() -> tuple[Check, list[str], list[Device]]:
    """List the devices in a child process: a sound server in a bad state can hang PortAudio."""
    result = run_child("-m", "vcfx", "devices", "--json", timeout_s=LISTING_TIMEOUT_S)
    if result.failure:
        detail, _, mend = result.failure.removeprefix("vcfx: ").partition("; install it with: ")
        if not mend:
            mend = "stop the programs that use sound, then: systemctl --user restart pipewire pipewire-pulse pulseaudio"
        return verdict("PortAudio", False, detail, "live", mend), [], []
    try:
        listing = json.loads(result.output)
    except ValueError:  # a plugin of the sound system wrote into our output
        return verdict("PortAudio", False, "the device list cannot be read", "live", "vcfx devices"), [], []
    release = listing["portaudio"].partition(", revision")[0]
    return Check("PortAudio", "ok", release, "live"), listing["host_apis"], listing["devices"]


def _host_apis(host_apis: Sequence[str]) -> Check:
    mend = pip_command("sounddevice", "--force-reinstall")
    return verdict("host APIs", bool(host_apis), ", ".join(host_apis) or "none", "live", mend)


def _devices(direction: str, devices: Sequence[Device]) -> Check:
    usable = [device for device in devices if device[f"max_{direction}_channels"]]
    default = next((device for device in usable if device[f"is_default_{direction}"]), None)
    detail = f"{len(usable)} found" + (f", default '{default['name']}'" if default else "")
    mend = "plug one in, or start a sound server"
    if sys.platform == "linux":
        mend += f": {sound_server_command()}"
    return verdict(f"{direction} devices", bool(usable), detail if usable else "none", "live", mend)


def _jack(host_apis: Sequence[str]) -> Check:
    runs = any("JACK" in name for name in host_apis)
    detail = "a server runs" if runs else "no server runs; with one the latency is shortest"
    mend = install_command("jack")
    if shutil.which("pw-jack"):
        mend = "pw-jack vcfx run"
    elif shutil.which("jackd"):
        mend = "jackd -d alsa -r 48000 -p 128"
    return verdict("JACK", runs, detail, "extra", mend)


def _alsa_plugin(devices: Sequence[Device]) -> Check:
    reachable = any(device["host_api"] != "ALSA" or device["name"] in PULSE_VARIABLES for device in devices)
    detail = "PortAudio reaches the sound server's devices by name" if reachable else "PortAudio has no `pulse` device"
    return verdict("ALSA plugin", reachable, detail, "extra", install_command("alsa plugin"))


def _microphones(server: pulse.ServerInfo) -> list[Check]:
    try:
        ours = [microphone for microphone in list_microphones() if microphone.is_complete]
    except DeviceError as error:
        return [verdict("virtual microphone", False, str(error), "extra", "vcfx device create")]
    names = ", ".join(f"'{microphone.name}'" for microphone in ours)
    checks = [verdict("virtual microphone", bool(ours), names or "none", "extra", "vcfx device create")]
    if any(microphone.source and microphone.source.name == server.default_source for microphone in ours):
        detail = "is the virtual one, so vcfx would hear itself: plug a real one in, or name it with --input"
        mend = "pactl set-default-source NAME    (names: pactl list short sources)"
        checks.append(verdict("default microphone", False, detail, "extra", mend))
    return checks


def _cable(devices: Sequence[Device]) -> Check:
    found = dict.fromkeys(cable.product for device in devices if (cable := cable_named(device["name"])))
    known = cables_for()
    mend = f"{known[0].product}: {known[0].how_to_get}" if known else ""
    return verdict("virtual microphone", bool(found), ", ".join(found) or "none", "extra", mend)
