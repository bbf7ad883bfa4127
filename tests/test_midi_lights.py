"""What a controller's lights show, and what it learns from a movement."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from midi_surface import MidiSurface
from vcfx.control import messages as m
from vcfx.control.live_state import RecordingState
from vcfx.control.midi.event import MidiEvent, read_event
from vcfx.control.midi.learning import SETTLE_S, Learner, learnable
from vcfx.control.midi.light_sender import LightSender, light_of
from vcfx.control.midi.lights import Light, lights_of
from vcfx.control.midi.map_reader import read_map
from vcfx.control.midi.midi_map import Binding, MidiMap
from vcfx.control.midi.ports import MidiOutput, MidiPort, matching, partner
from vcfx.control.midi.target import parse_target

PLACES = {"preset": ("deep", "robot", "ghost"), "voice": ("alder", "birch")}


def map_of(*bindings: str, top: str = "") -> MidiMap:
    tables = "".join(f"[[binding]]\n{binding}\n" for binding in bindings)
    return read_map(f'schema_version = 1\nname = "X"\n{top}\n{tables}'.encode(), "x.toml")


def lights(surface: MidiSurface, midi_map: MidiMap) -> dict[Light, int]:
    return lights_of(midi_map, surface.state(), lambda kind: PLACES[kind])


def test_the_running_preset_and_voice_are_lit() -> None:
    surface = MidiSurface()
    midi_map = map_of(
        'on = "note"\nnumber = 36\nlast = 39\nto = "preset"\non_light = 21\noff_light = 1',
        'on = "control"\nnumber = 20\nchannel = 3\nto = "voice:birch"',
        'on = "program"\nto = "preset"',
    )
    assert lights(surface, midi_map) == {(0x90, 36): 21, (0x90, 37): 1, (0x90, 38): 1, (0xB2, 20): 0}
    surface.submit(m.SwitchPreset("ghost"))
    surface.submit(m.SwitchVoice("birch"))
    assert lights(surface, midi_map) == {(0x90, 36): 1, (0x90, 37): 1, (0x90, 38): 21, (0xB2, 20): 127}


def test_switches_are_lit_while_they_are_on() -> None:
    surface = MidiSurface()
    targets = ("mute", "bypass", "bypass:echo", "record", "push-to-talk", "panic", "next-preset")
    midi_map = map_of(*(f'on = "note"\nnumber = {number}\nto = "{to}"' for number, to in enumerate(targets)))
    surface.submit(m.PushToTalk(False))
    assert set(lights(surface, midi_map).values()) == {0}
    assert len(lights(surface, midi_map)) == 5, "what only happens has no light"
    for message in (m.Mute(True), m.Bypass(True), m.BypassNode("echo", True), m.StartRecording(), m.PushToTalk(True)):
        surface.submit(message)
    assert list(lights(surface, midi_map).values()) == [127] * 5
    surface.become(recording=RecordingState("wet", ("a.flac",), 1.0, "the disk is full"))
    assert lights(surface, midi_map)[0x90, 3] == 0


def test_rings_and_motors_show_parameters() -> None:
    surface = MidiSurface()
    midi_map = map_of(
        'on = "control"\nnumber = 1\nto = "parameter:echo.mix_ratio"',
        'on = "control"\nnumber = 2\nbits = 14\nto = "parameter:echo.mix_ratio"',
        'on = "control"\nnumber = 3\nto = "parameter:reverb.size"',
        'on = "control"\nnumber = 4\nto = "parameter:tone.type"',
        top="channel = 16",
    )
    assert lights(surface, midi_map) == {(0xBF, 1): 32, (0xBF, 2): 32, (0xBF, 34): 0, (0xBF, 4): 0}
    surface.submit(m.SetParameter("echo", "mix_ratio", 1.0))
    surface.submit(m.SetParameter("tone", "type", "highpass"))
    assert lights(surface, midi_map) == {(0xBF, 1): 127, (0xBF, 2): 127, (0xBF, 34): 127, (0xBF, 4): 127}


def test_a_light_that_two_lines_share_is_on_if_one_is() -> None:
    midi_map = map_of('on = "note"\nnumber = 1\nto = "preset:robot"', 'on = "note"\nnumber = 1\nto = "preset:deep"')
    assert lights(MidiSurface(), midi_map) == {(0x90, 1): 127}


class Cable(MidiOutput):
    """An output that keeps what is sent."""

    def __init__(self) -> None:
        super().__init__(None, "cable", "jack")
        self.sent: list[list[int]] = []

    def send(self, message: Sequence[int]) -> bool:
        self.sent.append(list(message))
        return True


def test_only_changes_are_sent_and_notes_go_dark_in_the_end() -> None:
    cable = Cable()
    sender = LightSender(cable)
    sender.show({(0x90, 1): 127, (0x90, 2): 0, (0xB0, 7): 64}, {})
    assert cable.sent == [[0x90, 1, 127], [0x90, 2, 0], [0xB0, 7, 64]]
    sender.show({(0x90, 1): 127, (0x90, 2): 5, (0xB0, 7): 64}, {})
    assert cable.sent[3:] == [[0x90, 2, 5]]
    sender.show({(0x90, 2): 5, (0xB0, 7): 64}, {})
    assert cable.sent[4:] == [[0x90, 1, 0]]
    sender.close()
    assert cable.sent[5:] == [[0x90, 2, 0]]


def test_a_motor_does_not_fight_the_hand() -> None:
    cable = Cable()
    sender = LightSender(cable)
    sender.show({(0xB0, 7): 64}, {(0xB0, 7): (time.monotonic(), 90)})
    assert cable.sent == []
    sender.show({(0xB0, 7): 90}, {(0xB0, 7): (time.monotonic() - 5.0, 90)})
    assert cable.sent == [], "it stands there by itself"
    sender.show({(0xB0, 7): 91}, {(0xB0, 7): (time.monotonic() - 5.0, 90)})
    assert cable.sent == [[0xB0, 7, 91]]
    event = read_event([0xB3, 7, 5])
    assert event is not None
    assert light_of(event) == (0xB3, 7)
    assert light_of(MidiEvent("note", 1, 7, 5)) is None


def test_an_event_is_learned_with_its_channel() -> None:
    learner = Learner(parse_target("preset:deep"))
    assert learner.take(MidiEvent("note", 2, 60, 0), 0.0) == "the end of a note"
    assert learner.take(MidiEvent("control", 2, 0, 5), 0.0).startswith("a bank select")
    assert learner.take(MidiEvent("pitch-bend", 2, 0, 5), 0.0).startswith("a pitch bend cannot work 'preset:deep'")
    assert learner.result(0.0) is None
    assert learner.take(MidiEvent("note", 2, 60, 90), 0.0) == ""
    assert learner.result(0.0) == Binding("note", parse_target("preset:deep"), 60, channel=2)


@pytest.mark.parametrize(("lower", "bits"), [((1, 39), 14), ((2, 39), 7), ((1, 40), 7)])
def test_the_lower_half_of_a_fine_controller_is_noticed(lower: tuple[int, int], bits: int) -> None:
    learner = Learner(parse_target("parameter:echo.mix_ratio"))
    learner.take(MidiEvent("control", 1, 7, 5), 10.0)
    assert learner.result(10.0 + SETTLE_S / 2) is None
    learner.take(MidiEvent("control", *lower, 9), 10.1)
    learned = learner.result(10.0 + SETTLE_S)
    assert learned is not None
    assert (learned.number, learned.bits, learned.channel) == (7, bits, 1)


def test_pedals_hold_to_talk_and_programs_toggle() -> None:
    learner = Learner(parse_target("push-to-talk"))
    assert learner.take(MidiEvent("control", 1, 64, 0), 0.0) == "the end of a press"
    learner.take(MidiEvent("control", 1, 64, 127), 0.0)
    assert learner.result(0.0) == Binding("control", parse_target("push-to-talk"), 64, channel=1, action="hold")
    learner = Learner(parse_target("mute"))
    learner.take(MidiEvent("program", 1, 3, 127), 0.0)
    assert learner.result(0.0) == Binding("program", parse_target("mute"), 3, channel=1)


def test_what_has_no_name_cannot_be_learned() -> None:
    assert learnable(parse_target("preset")) == "name one: preset:NAME"
    assert learnable(parse_target("bypass")) == ""


PORTS = [
    MidiPort(number, name, "alsa")
    for number, name in enumerate(
        ["Midi Through:Midi Through Port-0 14:0", "Launchpad:Launchpad MIDI 1 20:0", "Launchpad:Launchpad MIDI 2 20:1"],
        1,
    )
]


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ("2", 2),
        ("9", None),
        ("launchpad", 2),
        ("midi 2", 3),
        ("Midi", 1),
        ("port-0", 1),
        ("grand piano", None),
        ("0", None),
    ],
)
def test_ports_are_found_by_number_or_part_of_the_name(wanted: str, number: int | None) -> None:
    found = matching(PORTS, wanted)
    assert (None if found is None else found.number) == number


@pytest.mark.parametrize(
    ("port", "outputs", "expected"),
    [
        ("Launchpad:Launchpad MIDI 2 20:1", [port.name for port in PORTS], "Launchpad:Launchpad MIDI 2 20:1"),
        ("system:midi_capture_2", ["system:midi_playback_1", "system:midi_playback_2"], "system:midi_playback_2"),
        ("pad:out", ["other:in", "pad:in"], "pad:in"),
        ("Launchpad X 0", ["Microsoft GS Wavetable Synth 0", "Launchpad X 1"], "Launchpad X 1"),
        ("Grand Piano", ["Launchpad"], None),
    ],
)
def test_an_input_has_its_output(port: str, outputs: list[str], expected: str | None) -> None:
    found = partner(port, [MidiPort(number, name, "jack") for number, name in enumerate(outputs, 1)])
    assert (None if found is None else found.name) == expected
