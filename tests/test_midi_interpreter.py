"""What events do, by a map and by what runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midi_surface import MidiSurface
from vcfx.control import messages as m
from vcfx.control.midi.event import MidiEvent, read_event
from vcfx.control.midi.interpreter import Interpreter
from vcfx.control.midi.map_reader import read_map
from vcfx.control.midi.pickup import Pickup

PLACES = {"preset": ("deep", "robot", "ghost"), "voice": ("alder", "birch")}


class Hands:
    """A player in front of a surface, with a map."""

    def __init__(self, *bindings: str, top: str = "") -> None:
        tables = "".join(f"[[binding]]\n{binding}\n" for binding in bindings)
        self.surface = MidiSurface()
        midi_map = read_map(f'schema_version = 1\nname = "X"\n{top}\n{tables}'.encode(), "x.toml")
        self.interpreter = Interpreter(midi_map, self.surface.state, lambda kind: PLACES[kind])

    def play(self, *messages: Sequence[int], port: str = "pad") -> list[m.Message]:
        """Play messages one by one and return what was submitted."""
        submitted: list[m.Message] = []
        for message in messages:
            event = read_event(message)
            assert event is not None
            for deed in self.interpreter.take(port, event):
                self.surface.submit(deed.message)
                submitted.append(deed.message)
        return submitted


def test_programs_choose_presets_by_place_and_bank() -> None:
    hands = Hands('on = "program"\nto = "preset"')
    assert hands.play([0xC0, 0], [0xC5, 2]) == [m.SwitchPreset("deep"), m.SwitchPreset("ghost")]
    assert hands.play([0xC0, 3]) == []
    assert hands.interpreter.problem == "preset: there is no preset in place 4; there are 3"
    assert hands.interpreter.missed_place
    assert hands.play([0xB0, 0, 1], [0xC0, 0]) == []
    assert "place 129" in hands.interpreter.problem
    assert hands.play([0xC1, 0]) == [m.SwitchPreset("deep")], "the other channel's bank was not changed"


def test_a_map_may_bring_its_own_presets() -> None:
    hands = Hands('on = "program"\nto = "preset"', top='presets = ["radio", "alien"]')
    assert hands.play([0xC0, 1]) == [m.SwitchPreset("alien")]


def test_the_most_precise_line_wins() -> None:
    hands = Hands(
        'on = "program"\nto = "preset"',
        'on = "program"\nnumber = 1\nto = "preset:radio"',
        'on = "program"\nnumber = 1\nbank = 5\nto = "preset:alien"',
    )
    assert hands.play([0xC0, 0], [0xC0, 1]) == [m.SwitchPreset("deep"), m.SwitchPreset("radio")]
    assert hands.play([0xB0, 32, 5], [0xC0, 1]) == [m.SwitchPreset("alien")]
    assert hands.play([0xB0, 0, 1], [0xC0, 1]) == [m.SwitchPreset("radio")], "bank 133"


def test_notes_choose_voices() -> None:
    hands = Hands('on = "note"\nnumber = 36\nlast = 40\nto = "voice"', 'on = "note"\nnumber = 38\nto = "voice:cedar"')
    assert hands.play([0x90, 36, 1], [0x80, 36, 0], [0x90, 37, 127]) == [m.SwitchVoice("alder"), m.SwitchVoice("birch")]
    assert hands.play([0x90, 38, 9]) == [m.SwitchVoice("cedar")]
    assert hands.play([0x90, 39, 9]) == []
    assert hands.interpreter.problem == "voice: there is no voice in place 4; there are 2"


def test_a_note_can_send_any_message() -> None:
    hands = Hands(
        'on = "note"\nnumber = 1\nmessage = {type = "start_recording", sides = "both"}',
        'on = "note"\nnumber = 1\nmessage = {type = "set_parameter", node = "echo", parameter = "mix", value = 1}',
        'on = "note"\nnumber = 2\nto = "next-preset"',
        'on = "note"\nnumber = 3\nto = "previous-preset"',
        'on = "note"\nnumber = 4\nto = "panic"',
    )
    assert hands.play([0x90, 1, 5]) == [m.StartRecording("both"), m.SetParameter("echo", "mix", 1.0)]
    assert hands.play([0x90, 2, 5], [0x90, 3, 5], [0x90, 4, 5]) == [m.StepPreset(1), m.StepPreset(-1), m.Panic()]


def test_controllers_move_parameters_over_their_range() -> None:
    hands = Hands('on = "control"\nnumber = 7\nto = "parameter:gate.threshold_db"')
    assert hands.play([0xB0, 7, 0], [0xB0, 7, 64], [0xB0, 7, 127]) == [
        m.SetParameter("gate", "threshold_db", -90.0),
        m.SetParameter("gate", "threshold_db", -45.0),
        m.SetParameter("gate", "threshold_db", 0.0),
    ]


def values_of(messages: list[m.Message]) -> list[Any]:
    return [message.value for message in messages if isinstance(message, m.SetParameter)]


def test_range_curve_and_direction_are_the_lines() -> None:
    hands = Hands(
        'on = "control"\nnumber = 1\nto = "parameter:tone.cutoff_hz"\ncurve = "log"',
        'on = "control"\nnumber = 2\nto = "parameter:echo.mix_ratio"\nlow = 0.8\nhigh = 0.2',
        'on = "control"\nnumber = 3\nto = "parameter:tone.order"',
        'on = "control"\nnumber = 4\nto = "parameter:tone.type"',
        'on = "pressure"\nto = "parameter:tone.slope"\nlow = -1\nhigh = 1',
        'on = "control"\nnumber = 5\nto = "parameter:gate.threshold_db"\nlow = -200',
    )
    [cutoff] = hands.play([0xB0, 1, 64])
    assert isinstance(cutoff, m.SetParameter)
    assert cutoff.value == pytest.approx((20.0 * 20_000.0) ** 0.5)
    values = values_of(hands.play([0xB0, 2, 0], [0xB0, 2, 64], [0xB0, 2, 127]))
    assert values == [0.8, 0.5, 0.2]
    assert hands.play([0xB0, 3, 70]) == [m.SetParameter("tone", "order", 5.0)]
    chosen = values_of(hands.play([0xB0, 4, 0], [0xB0, 4, 60], [0xB0, 4, 127]))
    assert chosen == ["lowpass", "band", "highpass"]
    assert hands.play([0xD0, 64]) == [m.SetParameter("tone", "slope", 0.0)]
    assert hands.play([0xB0, 5, 0]) == [m.SetParameter("gate", "threshold_db", -90.0)], "never beyond what is allowed"


@pytest.mark.parametrize(
    ("binding", "problem"),
    [
        ('to = "parameter:reverb.size"', "the preset that runs has no node 'reverb'"),
        ('to = "parameter:echo.size"', "the node 'echo' has no parameter 'size'"),
        ('to = "parameter:tone.lookahead_ms"', "lookahead_ms cannot change while sound runs"),
        ('to = "parameter:tone.slope"', "slope has no end; give low and high"),
        ('to = "parameter:echo.mix_ratio"\ncurve = "log"', "needs both above 0"),
        ('to = "parameter:echo.mix_ratio"\nlow = 3\nhigh = 9', "low and high are both 1"),
    ],
)
def test_what_cannot_be_moved_is_said(binding: str, problem: str) -> None:
    hands = Hands(f'on = "control"\nnumber = 7\n{binding}')
    assert hands.play([0xB0, 7, 5]) == []
    assert problem in hands.interpreter.problem
    assert hands.play([0xB0, 8, 5]) == []
    assert hands.interpreter.problem == ""


def test_fourteen_bits_are_finer() -> None:
    hands = Hands('on = "control"\nnumber = 7\nbits = 14\nto = "parameter:echo.mix_ratio"')
    coarse, fine = hands.play([0xB0, 7, 32], [0xB0, 39, 1])
    assert coarse == m.SetParameter("echo", "mix_ratio", 0.25)
    assert fine == m.SetParameter("echo", "mix_ratio", 0.25 + 0.5 / 8192)
    assert hands.play([0xB0, 7, 127], [0xB0, 39, 127])[-1] == m.SetParameter("echo", "mix_ratio", 1.0)


def test_pitch_bend_moves_the_pitch_and_takes_it_back() -> None:
    hands = Hands('on = "pitch-bend"\nto = "pitch"\nlow = -12\nhigh = 3')

    def shift() -> Any:
        return hands.surface.value("pitch", "shift_semitones")

    hands.play([0xE0, 127, 127])
    assert shift() == -1.0, "-4 as the preset has it, and 3"
    hands.play([0xE0, 0, 0])
    assert shift() == -16.0
    hands.play([0xE0, 0, 32])
    assert shift() == -10.0
    assert hands.play([0xE0, 0, 64]) == [m.SetParameter("pitch", "shift_semitones", -4.0)]
    assert hands.play([0xE0, 0, 64]) == [], "nothing is bent any more"
    hands.surface.submit(m.SetParameter("pitch", "shift_semitones", 23.0))
    hands.play([0xE0, 127, 127])
    assert shift() == 24.0, "no further than the parameter goes"
    hands.play([0xE0, 0, 64])
    assert shift() == 23.0


def test_a_bend_is_taken_back_when_the_controller_is_gone() -> None:
    hands = Hands('on = "pitch-bend"\nto = "pitch"')
    hands.play([0xE0, 127, 127])
    assert [deed.message for deed in hands.interpreter.release("pad")] == [
        m.SetParameter("pitch", "shift_semitones", -4.0)
    ]


def test_a_new_preset_is_bent_from_where_it_is() -> None:
    hands = Hands('on = "pitch-bend"\nto = "pitch"')
    hands.play([0xE0, 127, 127])
    hands.surface.become(preset_name="other", preset="Other", chain=MidiSurface().state().chain)
    hands.play([0xE0, 0, 0])
    assert hands.surface.value("pitch", "shift_semitones") == -6.0


def test_the_sustain_pedal_talks_while_it_is_down() -> None:
    hands = Hands('on = "control"\nnumber = 64\nto = "push-to-talk"', 'on = "note"\nnumber = 5\nto = "push-to-talk"')
    assert hands.play([0xB0, 64, 127], [0xB0, 64, 90], [0xB0, 64, 0], [0xB0, 64, 0]) == [
        m.PushToTalk(True),
        m.PushToTalk(False),
    ]
    assert hands.play([0x90, 5, 9], [0xB0, 64, 127], [0x80, 5, 0]) == [m.PushToTalk(True)]
    assert hands.play([0xB0, 64, 1]) == [m.PushToTalk(False)], "the last one to let go"


def test_nothing_stays_held_when_the_controller_is_gone() -> None:
    hands = Hands('on = "control"\nnumber = 64\nto = "push-to-talk"', 'on = "note"\nto = "mute"\naction = "hold"')
    hands.play([0xB0, 64, 127], [0x90, 7, 9], port="pad")
    hands.play([0x90, 7, 9], port="other")
    assert [deed.message for deed in hands.interpreter.release("pad")] == [m.PushToTalk(False)]
    assert hands.play([0x80, 7, 0], port="other") == [m.Mute(False)]
    assert hands.interpreter.release("pad") == []


def test_nothing_stays_held_when_the_map_changes() -> None:
    hands = Hands('on = "control"\nnumber = 64\nto = "push-to-talk"')
    hands.play([0xB0, 64, 127])
    assert [deed.message for deed in hands.interpreter.use(hands.interpreter.midi_map)] == [m.PushToTalk(False)]
    assert hands.play([0xB0, 64, 0]) == []


def test_switches_are_toggled_or_held() -> None:
    hands = Hands(
        'on = "note"\nnumber = 1\nto = "mute"',
        'on = "note"\nnumber = 2\nto = "bypass"\naction = "hold"',
        'on = "note"\nnumber = 3\nto = "bypass:echo"',
        'on = "note"\nnumber = 4\nto = "record"',
        'on = "note"\nnumber = 5\nto = "push-to-talk"\naction = "toggle"',
        'on = "program"\nnumber = 9\nto = "mute"',
    )
    assert hands.play([0x90, 1, 9], [0x80, 1, 9], [0x90, 1, 9]) == [m.Mute(), m.Mute()]
    assert not hands.surface.state().muted
    assert hands.play([0x90, 2, 9], [0x80, 2, 9]) == [m.Bypass(True), m.Bypass(False)]
    assert hands.play([0x90, 3, 9], [0x80, 3, 9]) == [m.BypassNode("echo")]
    assert hands.play([0x90, 4, 9], [0x80, 4, 0], [0x90, 4, 9]) == [m.StartRecording(), m.StopRecording()]
    assert hands.play([0x90, 5, 9], [0x80, 5, 0], [0x90, 5, 9]) == [m.PushToTalk(True), m.PushToTalk(False)]
    assert hands.play([0xC0, 9]) == [m.Mute()]


def test_a_knob_that_stands_elsewhere_moves_nothing_until_it_passes() -> None:
    hands = Hands('on = "control"\nnumber = 1\nto = "parameter:echo.mix_ratio"\npickup = true')
    assert hands.play([0xB0, 1, 120], [0xB0, 1, 60]) == []
    assert "move the controller past the present value, 0.25, to take it over" in hands.interpreter.problem
    assert len(hands.play([0xB0, 1, 20], [0xB0, 1, 127], [0xB0, 1, 0])) == 3, "it has passed and keeps it"
    hands.surface.submit(m.SetParameter("echo", "mix_ratio", 0.9))
    assert hands.play([0xB0, 1, 10], [0xB0, 1, 50]) == [], "another hand has moved it"
    assert len(hands.play([0xB0, 1, 126])) == 1


def test_take_over_can_be_the_whole_maps() -> None:
    hands = Hands(
        'on = "control"\nnumber = 1\nto = "parameter:echo.mix_ratio"',
        'on = "control"\nnumber = 2\nto = "parameter:echo.mix_ratio"\npickup = false',
        top="pickup = true",
    )
    assert hands.play([0xB0, 1, 120]) == []
    assert len(hands.play([0xB0, 2, 120])) == 1


def test_a_fast_knob_is_not_lost_to_a_state_that_lags() -> None:
    now = [0.0]
    pickup = Pickup(lambda: now[0])
    assert pickup.catches("knob", 0.5, 0.5, 0.5)
    for step in range(1, 40):
        pickup.sent("knob", 0.5 + step / 100)
    assert pickup.catches("knob", 0.6, 0.52, 0.52), "a value of its own from a moment ago"
    now[0] = 1.0
    assert pickup.catches("knob", 0.9, 0.89, 0.89)
    assert not pickup.catches("knob", 0.8, 0.52, 0.52), "now it is another hand's"


@given(
    st.lists(st.tuples(st.sampled_from([0x80, 0x90, 0xB0, 0xC0, 0xD0, 0xE0]), st.integers(0, 127), st.integers(0, 127)))
)
def test_no_playing_breaks_it_and_nothing_stays_held(played: list[tuple[int, int, int]]) -> None:
    hands = Hands(
        'on = "program"\nto = "preset"',
        'on = "note"\nnumber = 0\nlast = 90\nto = "voice"',
        'on = "note"\nto = "push-to-talk"',
        'on = "pitch-bend"\nto = "pitch"',
        'on = "pressure"\nto = "parameter:tone.cutoff_hz"\ncurve = "log"\npickup = true',
        *(f'on = "control"\nnumber = {number}\nto = "bypass"\naction = "hold"' for number in range(0, 128, 5)),
        *(
            f'on = "control"\nnumber = {number}\nto = "parameter:echo.mix_ratio"\nbits = 14'
            for number in range(0, 32, 3)
        ),
    )
    messages = [[status, one] if status in (0xC0, 0xD0) else [status, one, two] for status, one, two in played]
    done = hands.play(*messages) + [deed.message for deed in hands.interpreter.release("pad")]
    talking = [message.held for message in done if isinstance(message, m.PushToTalk)]
    assert talking == [True, False] * (len(talking) // 2)
    assert not hands.interpreter.release("pad")
    for message in done:
        if isinstance(message, m.SetParameter):
            parameters = {
                p.name: p for node in hands.surface.state().chain if node.id == message.node for p in node.parameters
            }
            limits = parameters[message.parameter]
            assert limits.minimum is not None
            assert limits.maximum is not None
            assert limits.minimum <= float(message.value) <= limits.maximum


def test_other_channels_are_not_heard() -> None:
    hands = Hands('on = "program"\nto = "preset"', 'on = "note"\nto = "mute"\nchannel = 3', top="channel = 2")
    assert hands.play([0xC0, 0], [0x90, 5, 5], [0x91, 5, 5]) == []
    assert hands.play([0xC1, 0], [0x92, 5, 5]) == [m.SwitchPreset("deep"), m.Mute()]
    assert MidiEvent("note", 3, 5, 5).is_down
