"""MIDI bytes read as events, positions and values, and what a receiver has to remember."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx.control.midi.event import MidiEvent, note_name, read_event
from vcfx.control.midi.midi_map import CURVES, Curve
from vcfx.control.midi.registers import Registers
from vcfx.control.midi.scale import position_at, position_of_steps, steps_of_position, value_at


@pytest.mark.parametrize(
    ("message", "event", "words"),
    [
        ([0x90, 60, 100], MidiEvent("note", 1, 60, 100), "note 60 (C4) on, velocity 100, channel 1"),
        ([0x9F, 61, 0], MidiEvent("note", 16, 61, 0), "note 61 (C#4) off, channel 16"),
        ([0x82, 69, 90], MidiEvent("note", 3, 69, 0), "note 69 (A4) off, channel 3"),
        ([0xB1, 7, 127], MidiEvent("control", 2, 7, 127), "control 7 at 127, channel 2"),
        ([0xC0, 5], MidiEvent("program", 1, 5, 127), "program 5, channel 1"),
        ([0xD3, 40], MidiEvent("pressure", 4, 0, 40), "pressure 40, channel 4"),
        ([0xE0, 0, 64], MidiEvent("pitch-bend", 1, 0, 8192), "pitch bend +0, channel 1"),
        ([0xE0, 127, 127], MidiEvent("pitch-bend", 1, 0, 16383), "pitch bend +8191, channel 1"),
    ],
)
def test_messages_are_read(message: list[int], event: MidiEvent, words: str) -> None:
    assert read_event(message) == event
    assert str(event) == words


@pytest.mark.parametrize(
    "message",
    [[], [0x90], [0x90, 60], [0xC0], [0xC0, 1, 2], [0xF0, 1, 0xF7], [0xF8], [0xA0, 1, 2], [0x90, 60, 200], [60]],
)
def test_what_is_no_event_of_ours_is_passed_over(message: list[int]) -> None:
    assert read_event(message) is None


@given(st.lists(st.integers(0, 255), max_size=5))
def test_no_bytes_break_the_reader(message: list[int]) -> None:
    event = read_event(message)
    assert event is None or (1 <= event.channel <= 16 and 0 <= event.number <= 127 and str(event))


def test_notes_have_names() -> None:
    assert [note_name(number) for number in (0, 21, 60, 127)] == ["C-1", "A0", "C4", "G9"]


@pytest.mark.parametrize("bits", [7, 14])
def test_every_step_has_its_position_and_back(bits: int) -> None:
    steps = range(1 << bits)
    positions = [position_of_steps(step, bits) for step in steps]
    assert positions[0] == 0.0
    assert positions[1 << (bits - 1)] == 0.5
    assert positions[-1] == 1.0
    assert all(one < other for one, other in itertools.pairwise(positions))
    assert [steps_of_position(position, bits) for position in positions] == list(steps)


def test_curves_are_what_they_say() -> None:
    assert value_at(0.25, 10.0, 20.0, "linear") == 12.5
    assert value_at(0.5, 20.0, 20_000.0, "log") == pytest.approx(math.sqrt(20.0 * 20_000.0))
    assert value_at(0.25, 100.0, 1_600.0, "log") == pytest.approx(200.0), "equal ratios for equal ways"
    assert value_at(0.5, -1.0, 1.0, "s") == 0.0
    near_the_end = (value_at(0.05, 0.0, 1.0, "s"), 1.0 - value_at(0.95, 0.0, 1.0, "s"))
    assert all(way < 0.5 * 0.05 for way in near_the_end), "fine at both ends"


@given(st.floats(0.0, 1.0), st.floats(0.01, 1e4), st.floats(0.01, 1e4), st.sampled_from(CURVES))
def test_values_lead_back_to_their_position(position: float, low: float, high: float, curve: Curve) -> None:
    if abs(math.log(high / low)) < 0.01:
        return
    value = value_at(position, low, high, curve)
    assert min(low, high) * (1 - 1e-9) <= value <= max(low, high) * (1 + 1e-9)
    assert position_at(value, low, high, curve) == pytest.approx(position, abs=1e-5)
    assert value_at(0.0, low, high, curve) == low
    assert value_at(1.0, low, high, curve) == high


def control(number: int, value: int, channel: int = 1) -> MidiEvent:
    return MidiEvent("control", channel, number, value)


def test_fourteen_bits_come_in_two_halves() -> None:
    registers = Registers()
    registers.take("pad", control(7, 64))
    assert registers.steps("pad", 1, 7) == 64 << 7
    registers.take("pad", control(39, 3))
    assert registers.steps("pad", 1, 7) == (64 << 7) + 3
    registers.take("pad", control(7, 65))
    assert registers.steps("pad", 1, 7) == 65 << 7, "the upper half starts the lower one anew"
    assert registers.steps("pad", 2, 7) == registers.steps("other", 1, 7) == 0


def test_banks_count_with_the_halves_that_are_sent() -> None:
    registers = Registers()
    assert registers.bank("pad", 1) == 0
    registers.take("pad", control(0, 2))
    assert registers.bank("pad", 1) == 2, "only the upper half was ever sent"
    registers.take("pad", control(32, 5))
    assert registers.bank("pad", 1) == 2 * 128 + 5
    registers.take("other", control(32, 3))
    assert registers.bank("other", 1) == 3
    registers.forget("pad")
    assert registers.bank("pad", 1) == 0


def test_a_controller_presses_once_however_often_it_says_so() -> None:
    registers = Registers()
    taken = [registers.take("pad", control(64, value)) for value in (10, 64, 127, 70, 63, 0, 127)]
    assert [presses for presses, _ in taken] == [False, True, False, False, False, False, True]
    assert [releases for _, releases in taken] == [False, False, False, False, True, False, False]
    assert registers.forget("pad") == [("pad", "control", 1, 64)]
    assert registers.forget("pad") == []
