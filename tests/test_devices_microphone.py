"""Virtual microphones on real sound servers: PulseAudio, and PipeWire in its place."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from sound_servers import (
    SoundServer,
    needs_pipewire,
    needs_pulse,
    private_pipewire,
    private_pulse,
    run_python,
)
from vcfx.devices.microphone import create_microphone, pipewire_lines, pulseaudio_lines, sink_name, source_name
from vcfx.errors import DeviceError

pytestmark = [pytest.mark.pulse]

Server = Callable[[], AbstractContextManager[SoundServer]]
SERVERS = [
    pytest.param(private_pulse, marks=needs_pulse, id="pulseaudio"),
    pytest.param(private_pipewire, marks=needs_pipewire, id="pipewire"),
]
NAMES = ("VCFX Microphone", "Großes Gerät, a; b#d", "x=y $HOME {z} (1) [2] & | * ?", "マイク")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[SoundServer]:
    with request.param() as running:
        yield running


def vcfx(server: SoundServer, *arguments: str, expect: int = 0) -> str:
    command = [sys.executable, "-m", "vcfx", *arguments]
    done = subprocess.run(command, env=server.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def pactl(server: SoundServer, *arguments: str) -> str:
    env = server.env | {"LC_ALL": "C.UTF-8"}
    done = subprocess.run(["pactl", *arguments], env=env, capture_output=True, text=True, timeout=20, check=True)
    return done.stdout


def descriptions(server: SoundServer, what: str) -> list[str]:
    lines = pactl(server, "list", what).splitlines()
    return [line.removeprefix("\tDescription: ") for line in lines if line.startswith("\tDescription: ")]


def test_names_survive_and_creating_twice_makes_one(server: SoundServer) -> None:
    for name in NAMES:
        first = json.loads(vcfx(server, "device", "create", "--name", name, "--json"))
        again = json.loads(vcfx(server, "device", "create", "--name", name, "--json"))
        assert (first["name"], first["created"], again["created"]) == (name, True, False)
        assert first["complete"]
        assert descriptions(server, "sources").count(name) == 1
        assert descriptions(server, "sinks").count(first["speaker"]) == 1
    assert {entry["name"] for entry in json.loads(vcfx(server, "device", "list", "--json"))} == set(NAMES)
    assert set(json.loads(vcfx(server, "device", "remove", "--all", "--json"))) == set(NAMES)
    assert json.loads(vcfx(server, "device", "list", "--json")) == []


def test_remove_leaves_what_others_made(server: SoundServer) -> None:
    pactl(server, "load-module", "module-null-sink", "sink_name=vcfx_lookalike")
    vcfx(server, "device", "create", "--name", "One")
    vcfx(server, "device", "create", "--name", "Two")
    before = pactl(server, "list", "short", "modules")
    assert "'One' is removed" in vcfx(server, "device", "remove", "--name", "One")
    after = pactl(server, "list", "short", "modules")
    gone = set(before.splitlines()) - set(after.splitlines())
    assert len(gone) == 2
    assert all('vcfx.microphone="One"' in line for line in gone)
    assert "no virtual microphone 'One'" in vcfx(server, "device", "remove", "--name", "One")
    assert "vcfx_lookalike" in after


def test_half_a_microphone_is_mended(server: SoundServer) -> None:
    vcfx(server, "device", "create")
    modules = pactl(server, "list", "short", "modules").splitlines()
    source = next(line.split("\t")[0] for line in modules if "module-remap-source" in line)
    pactl(server, "unload-module", source)
    assert "broken" in vcfx(server, "device", "list")
    assert json.loads(vcfx(server, "device", "create", "--json"))["created"]
    assert "broken" not in vcfx(server, "device", "list")


def test_text_says_how_to_use_and_keep_it(server: SoundServer) -> None:
    text = vcfx(server, "device", "create", "--permanent")
    assert 'vcfx run --output "VCFX Speaker"' in text
    is_pipewire = "PipeWire" in pactl(server, "info")
    assert ("pipewire-pulse.conf.d" if is_pipewire else "default.pa") in text


@needs_pulse
def test_permanent_lines_work_in_pulseaudio() -> None:
    modules = tuple(line.removeprefix("load-module ") for name in NAMES for line in pulseaudio_lines(name).splitlines())
    with private_pulse(modules) as server:
        assert {entry["name"] for entry in json.loads(vcfx(server, "device", "list", "--json"))} == set(NAMES)
        assert set(json.loads(vcfx(server, "device", "remove", "--all", "--json"))) == set(NAMES)


@needs_pipewire
def test_permanent_lines_work_in_pipewire() -> None:
    # One file here for all; the lines of one microphone are a whole file.
    entries = [line for name in NAMES for line in pipewire_lines(name).splitlines()[1:-1]]
    wait = (
        "from vcfx.devices.microphone import _wait_for; import sys; print(*[_wait_for(n).name for n in sys.argv[1:]])"
    )
    with private_pipewire("\n".join(["pulse.cmd = [", *entries, "]"])) as server:
        assert run_python(wait, server.env, *NAMES).stdout.strip() == " ".join(NAMES)
        assert set(json.loads(vcfx(server, "device", "remove", "--all", "--json"))) == set(NAMES)


def test_devices_are_found_by_description_and_listed(server: SoundServer) -> None:
    vcfx(server, "device", "create")
    listing = json.loads(vcfx(server, "devices", "--json"))
    found = {entry["name"]: entry for entry in listing["devices"]}
    assert found["VCFX Speaker"]["environment"] == {"PULSE_SINK": "vcfx_speaker"}
    assert found["VCFX Microphone"]["environment"] == {"PULSE_SOURCE": "vcfx_microphone"}
    assert found["VCFX Microphone"]["is_virtual"]
    assert found["Monitor of VCFX Speaker"]["is_monitor"]
    table = vcfx(server, "devices")
    assert "VCFX Microphone" in table
    assert "Monitor of" not in table
    assert "Monitor of VCFX Speaker" in vcfx(server, "devices", "--all")


@pytest.mark.parametrize("name", ["", " a", "a'b", 'a"b', "a\\b", "a\nb", "a" * 61])
def test_names_that_quoting_cannot_carry_are_refused(name: str) -> None:
    with pytest.raises(DeviceError, match="is not allowed; 1 to 60"):
        create_microphone(name)


def test_technical_names_are_plain_and_distinct() -> None:
    names = [*NAMES, "One", "Großes Gerät", "Mikro マ", "Mikro ム"]
    technical = [function(name) for name in names for function in (sink_name, source_name)]
    assert len(set(technical)) == len(technical)
    assert all(name.isascii() and name.replace("_", "").isalnum() for name in technical)
