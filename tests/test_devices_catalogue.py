"""What a person types finds the device that is meant, or an error that says what there is."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx.devices import catalogue, pulse
from vcfx.devices.cables import cable_named, cables_for
from vcfx.devices.catalogue import default_device, find_device, plausible_latency_ms
from vcfx.devices.device import AudioDevice, Direction
from vcfx.devices.pulse import parse_endpoints
from vcfx.errors import DeviceError

LINUX = ("JACK Audio Connection Kit", "PulseAudio", "ALSA")


def device(index: int, name: str, host_api: str = "ALSA", ins: int = 2, outs: int = 2, **other: object) -> AudioDevice:
    plain = AudioDevice(index, name, host_api, ins, outs, 48_000)
    return dataclasses.replace(plain, **other)  # type: ignore[arg-type]


LAPTOP = (
    device(0, "HDA Intel PCH: ALC257 Analog (hw:0,0)"),
    device(1, "HDA Intel PCH: HDMI 0 (hw:0,3)", ins=0, outs=8),
    device(2, "USB PnP Sound Device: Audio (hw:1,0)", ins=1),
    device(3, "pulse", ins=32, outs=32),
    device(4, "default", ins=32, outs=32, is_default_input=True, is_default_output=True),
    device(
        3, "USB PnP Sound Device Mono", "PulseAudio", 1, 0,
        identifier="alsa_input.usb-pnp.mono", environment=(("PULSE_SOURCE", "alsa_input.usb-pnp.mono"),),
    ),
    device(
        3, "VCFX Speaker", "PulseAudio", 0, 2,
        identifier="vcfx_speaker", environment=(("PULSE_SINK", "vcfx_speaker"),), is_virtual=True,
    ),
    device(
        3, "Monitor of VCFX Speaker", "PulseAudio", 2, 0,
        identifier="vcfx_speaker.monitor", environment=(("PULSE_SOURCE", "vcfx_speaker.monitor"),), is_monitor=True,
    ),
    device(
        3, "VCFX Microphone", "PulseAudio", 2, 0,
        identifier="vcfx_microphone", environment=(("PULSE_SOURCE", "vcfx_microphone"),), is_virtual=True,
    ),
)  # fmt: skip


@pytest.fixture(autouse=True)
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_rank", lambda host_api: LINUX.index(host_api) if host_api in LINUX else len(LINUX))


@pytest.mark.parametrize(
    ("query", "direction", "expected"),
    [
        (None, "input", "default"),
        ("", "output", "default"),
        ("default", "input", "default"),
        (0, "input", "HDA Intel PCH: ALC257 Analog (hw:0,0)"),
        ("2", "input", "USB PnP Sound Device: Audio (hw:1,0)"),
        ("pulse", "output", "pulse"),
        ("PULSE", "output", "pulse"),
        ("vcfx", "output", "VCFX Speaker"),
        ("vcfx", "input", "VCFX Microphone"),
        ("monitor", "input", "Monitor of VCFX Speaker"),
        ("vcfx_speaker.monitor", "input", "Monitor of VCFX Speaker"),
        ("HDMI", "output", "HDA Intel PCH: HDMI 0 (hw:0,3)"),
        ("HDA Intel PCH: ALC257 Analog (hw:0,0)", "input", "HDA Intel PCH: ALC257 Analog (hw:0,0)"),
        ("intel analog", "output", "HDA Intel PCH: ALC257 Analog (hw:0,0)"),
        ("usb", "input", "USB PnP Sound Device Mono"),
        ("ALSA:usb", "input", "USB PnP Sound Device: Audio (hw:1,0)"),
        ("usb, alsa", "input", "USB PnP Sound Device: Audio (hw:1,0)"),
        ("ALSA:default", "output", "default"),
        ("pulseaudio: vcfx speaker", "output", "VCFX Speaker"),
    ],
)
def test_query_finds(query: str | int | None, direction: Direction, expected: str) -> None:
    assert find_device(query, direction, LAPTOP).name == expected


@pytest.mark.parametrize(
    ("query", "direction", "message"),
    [
        ("hda", "output", r"'hda' fits 2 output devices: .*ALC257.*\(number 0\).*HDMI.*\(number 1\)"),
        ("VCFX Speakr", "output", "did you mean 'VCFX Speaker'"),
        ("HDMI", "input", "there is no input device 'HDMI'.*; known: "),
        ("JACK:system", "input", "there is no input device 'JACK:system'"),
        (1, "input", r"device 1, 'HDA Intel PCH: HDMI 0 \(hw:0,3\)', has no input channels"),
        (17, "output", "there is no device number 17; allowed: 0 to 4"),
        (-1, "output", "there is no device number -1"),
    ],
)
def test_error_says_what_there_is(query: str | int, direction: Direction, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        find_device(query, direction, LAPTOP)


@pytest.mark.parametrize("query", [None, "anything", 0])
def test_no_devices_at_all(query: str | int | None) -> None:
    with pytest.raises(DeviceError, match="there is no"):
        find_device(query, "input", [])


def test_jack_is_preferred_where_its_server_runs() -> None:
    jack = device(5, "system", "JACK Audio Connection Kit", is_default_input=True)
    ordinary = [dataclasses.replace(d, is_default_input=False) for d in LAPTOP]
    assert default_device("input", [*ordinary, jack]) is jack
    twin = device(6, "system")
    assert find_device("system", "input", [twin, jack]) is jack
    assert find_device("system, ALSA", "input", [twin, jack]) is twin
    assert find_device("JACK:", "input", [twin, jack]) is jack


def test_default_follows_the_preferred_host_api_then_portaudio() -> None:
    alsa = {"name": "ALSA", "default_input_device": 4}
    jack = {"name": "JACK Audio Connection Kit", "default_input_device": 9}
    silent_jack = jack | {"default_input_device": -1}
    mme = {"name": "MME", "default_input_device": 0}
    wasapi = {"name": "Windows WASAPI", "default_input_device": 7}
    choose = catalogue._default_index
    assert choose([alsa, jack], 0, "default_input_device") == 9
    assert choose([alsa, silent_jack], 0, "default_input_device") == 4
    assert choose([mme, wasapi], 0, "default_input_device") == 7
    assert choose([{"name": "ALSA", "default_input_device": -1}], 0, "default_input_device") == -1
    assert choose([], -1, "default_input_device") == -1


@given(st.sampled_from(LAPTOP), st.sampled_from(["input", "output"]))
def test_every_device_is_found_by_its_own_title(wanted: AudioDevice, direction: Direction) -> None:
    if wanted.channels(direction):
        assert find_device(wanted.title, direction, LAPTOP) == wanted
        assert find_device(wanted.name, direction, LAPTOP) == wanted


@given(st.text(max_size=30), st.sampled_from(["input", "output"]))
def test_any_text_finds_a_usable_device_or_a_device_error(query: str, direction: Direction) -> None:
    try:
        found = find_device(query, direction, LAPTOP)
    except DeviceError:
        return
    assert found.channels(direction) > 0


@pytest.mark.parametrize(
    ("latency_s", "expected"),
    [(0.008, 8.0), (89_478.48267, None), (-1.0, None), (0.0, None), (float("nan"), None), (float("inf"), None)],
)
def test_absurd_latencies_are_unknown(latency_s: float, expected: float | None) -> None:
    assert plausible_latency_ms(latency_s) == expected


def test_environment_is_set_only_while_routed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SINK", "before")
    with find_device("vcfx", "output", LAPTOP).routed():
        assert os.environ["PULSE_SINK"] == "vcfx_speaker"
    assert os.environ["PULSE_SINK"] == "before"
    monkeypatch.delenv("PULSE_SINK")
    with pytest.raises(RuntimeError, match="open failed"), find_device("vcfx", "output", LAPTOP).routed():
        raise RuntimeError("open failed")
    assert "PULSE_SINK" not in os.environ


def test_cables_are_known_by_name() -> None:
    products = {
        "BlackHole 16ch": "BlackHole",
        "CABLE Output (VB-Audio Virtual Cable)": "VB-Cable",
        "VoiceMeeter Output (VB-Audio VoiceMeeter VAIO)": "VoiceMeeter",
    }
    for name, product in products.items():
        cable = cable_named(name)
        assert cable is not None
        assert cable.product == product
    assert cable_named("MacBook Pro Microphone") is None
    assert cables_for("linux") == []
    assert cables_for("win32")[0].product == "VB-Cable"


@pytest.mark.parametrize(
    ("plugin", "variables", "names"),
    [
        ("pulse", {"PULSE_SOURCE"}, ["Monitor of VCFX Speaker", "Gerät: links, rechts"]),
        ("pipewire", {"PIPEWIRE_NODE"}, ["Gerät: links, rechts"]),
        ("hw:0", set(), []),
    ],
)
def test_either_alsa_plugin_carries_the_sound_servers_devices(
    monkeypatch: pytest.MonkeyPatch, plugin: str, variables: set[str], names: list[str]
) -> None:
    sources = parse_endpoints((Path(__file__).parent / "data" / "pactl_sources.txt").read_text(), "input")
    monkeypatch.setattr(pulse, "endpoints", lambda direction: sources if direction == "input" else [])
    carried = catalogue._behind_pulse([device(0, plugin)], ["ALSA"])
    assert [entry.name for entry in carried] == names
    assert {key for entry in carried for key, _ in entry.environment} == variables
    assert catalogue._behind_pulse([device(0, plugin)], ["ALSA", "PulseAudio"]) == []


def test_pactl_listing_is_read() -> None:
    listing = (Path(__file__).parent / "data" / "pactl_sources.txt").read_text()
    monitor, microphone = parse_endpoints(listing, "input")
    assert (monitor.name, monitor.monitor_of, monitor.module) == ("vcfx_speaker.monitor", "vcfx_speaker", 536_870_913)
    assert microphone.description == "Gerät: links, rechts"
    assert (microphone.channels, microphone.sample_rate_hz, microphone.module) == (1, 44_100, None)
    assert microphone.properties["vcfx.microphone"] == "Gerät: links, rechts"
    assert microphone.monitor_of == ""
    assert parse_endpoints("", "input") == []
