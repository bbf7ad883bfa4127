"""MIDI maps: reading, writing, refusing, and where they are found."""

from __future__ import annotations

import dataclasses
import typing
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx.control import messages as m
from vcfx.control.midi.event import SOURCES, MidiEvent
from vcfx.control.midi.map_library import list_maps, load_map, load_or_new, map_file, save_map, with_binding
from vcfx.control.midi.map_reader import BINDING_KEYS, read_map
from vcfx.control.midi.map_writer import map_toml
from vcfx.control.midi.midi_map import ACTIONS, CURVES, Binding, MidiMap
from vcfx.control.midi.target import FORMS, Target, parse_target
from vcfx.control.midi.unfit import unfit
from vcfx.errors import ControlError

NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
NUMBERS = st.integers(0, 127)
WORDS = {"str": NAMES, "str | None": st.none() | NAMES, "Value": st.floats(-1e6, 1e6) | NAMES}


def messages_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Messages of one type, with text that a message may hold."""
    fields = {field.name: str(field.type) for field in dataclasses.fields(kind)}
    return st.builds(kind, **{name: WORDS[hint] for name, hint in fields.items() if hint in WORDS})


MESSAGES = st.one_of([messages_of(kind) for kind in typing.get_args(m.Message)])
TARGETS = (
    st.sampled_from(
        ["pitch", "preset", "voice", "next-preset", "push-to-talk", "bypass", "mute", "record", "panic"]
    ).map(parse_target)
    | st.builds(Target, st.sampled_from(["preset", "voice", "bypass"]), NAMES)
    | st.builds(Target, st.just("parameter"), NAMES, NAMES.filter(lambda name: "." not in name))
    | MESSAGES.map(lambda message: Target("message", message=message))
)
BINDINGS = st.builds(
    Binding,
    on=st.sampled_from(SOURCES),
    to=TARGETS,
    number=st.none() | NUMBERS,
    last=st.none() | NUMBERS,
    channel=st.integers(0, 16),
    bank=st.none() | st.integers(0, 16_383),
    bits=st.sampled_from([7, 14]),
    low=st.none() | st.floats(-24.0, 24.0),
    high=st.none() | st.floats(-24.0, 24.0),
    curve=st.sampled_from(CURVES),
    pickup=st.none() | st.booleans(),
    action=st.sampled_from(ACTIONS),
    on_light=NUMBERS,
    off_light=NUMBERS,
)
DEFAULTS = {field.name: field.default for field in dataclasses.fields(Binding)}


def given_keys(binding: Binding) -> set[str]:
    return {key for key in BINDING_KEYS if key in DEFAULTS and getattr(binding, key) != DEFAULTS[key]} - {"action"}


def sensible(binding: Binding) -> bool:
    """Whether a file may hold it; an action means something for switches only."""
    plain = binding.to.kind in ("push-to-talk", "bypass", "mute", "record") or binding.action == "toggle"
    return plain and not unfit(binding, given_keys(binding))


def tidy(binding: Binding) -> Binding:
    """Drop what means nothing for the binding, so that most of what is drawn may stand in a file."""
    for key in sorted(given_keys(binding)):
        if unfit(binding, [key]).startswith(f"{key} means nothing"):
            binding = dataclasses.replace(binding, **{key: DEFAULTS[key]})  # type: ignore[arg-type]
    return binding


MAPS = st.builds(
    MidiMap,
    name=NAMES,
    description=st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20),
    channel=st.integers(0, 16),
    pickup=st.booleans(),
    lights=st.booleans(),
    presets=st.lists(NAMES, max_size=3).map(tuple),
    bindings=st.lists(BINDINGS.map(tidy).filter(sensible), max_size=4).map(tuple),
)


@given(MAPS)
def test_maps_come_back_as_themselves(midi_map: MidiMap) -> None:
    assert read_map(map_toml(midi_map).encode(), "x.toml") == midi_map


@given(TARGETS.filter(lambda target: target.message is None))
def test_targets_come_back_as_themselves(target: Target) -> None:
    assert parse_target(str(target)) == target


@given(st.text(max_size=30) | st.builds(lambda kind, rest: f"{kind}:{rest}", st.sampled_from([*FORMS]), st.text()))
def test_any_words_are_a_target_or_refused_with_a_sentence(text: str) -> None:
    try:
        parse_target(text)
    except ControlError as error:
        sentence = str(error)
    else:
        return
    assert sentence.isprintable()
    assert len(sentence) < 600


VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([*SOURCES, *FORMS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=4), inner, max_size=3),
    max_leaves=4,
)
TABLES = st.dictionaries(st.sampled_from([*BINDING_KEYS, "nonsense"]), VALUES, max_size=6)
TOPS = st.dictionaries(
    st.sampled_from(["name", "description", "channel", "pickup", "lights", "presets", "binding", "other"]), VALUES
)


@given(TOPS, st.lists(TABLES, max_size=3), st.booleans())
def test_any_toml_is_a_map_or_refused_with_a_sentence(
    top: dict[str, object], tables: list[dict[str, object]], has_tables: bool
) -> None:
    import tomli_w

    document = {"schema_version": 1, "name": "any"} | top | ({"binding": tables} if has_tables else {})
    text = tomli_w.dumps(document)
    try:
        found = read_map(text.encode("utf-8", "surrogatepass"), "any.toml")
    except ControlError as error:
        sentence = str(error)
        assert sentence.startswith("any.toml: ")
        assert sentence.isprintable() or "not TOML" in sentence
        assert len(sentence) < 900
    else:
        assert read_map(map_toml(found).encode(), "again") == found


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(ControlError, match=r"^bytes\.toml: "):
        read_map(content, "bytes.toml")


@pytest.mark.parametrize(
    ("binding", "sentence"),
    [
        ('on = "knob"\nto = "mute"', "x.toml: binding 1: on is 'knob'; known: control, note"),
        ('on = "notes"\nto = "mute"', "on is 'notes'; did you mean 'note'?"),
        ('on = "note"', "binding 1 (note): has to do one thing; allowed: either to or message"),
        ('on = "note"\nto = "mute"\nmessage = {type = "panic"}', "allowed: either to or message"),
        ('on = "note"\nto = "mute"\nnumbr = 3', "unknown key 'numbr' (= 3); did you mean 'number'?"),
        ('on = "note"\nto = "prset:x"', "there is no target 'prset:x'; did you mean 'preset'?"),
        ('on = "note"\nto = "parameter:echo"', "allowed: parameter:NODE.PARAMETER"),
        ('on = "note"\nto = "mute:me"', "the target is 'mute:me'; allowed: mute"),
        ('on = "note"\nnumber = 128\nto = "mute"', "number is 128; allowed: a whole number from 0 to 127"),
        ('on = "note"\nnumber = 1.5\nto = "mute"', "number is 1.5; allowed: a whole number from 0 to 127"),
        ('on = "note"\nnumber = 9\nlast = 9\nto = "mute"', "last is 9; allowed: more than number, which is 9"),
        ('on = "note"\nlast = 9\nto = "mute"', "last means nothing for note to 'mute'; it needs note or"),
        ('on = "note"\nto = "voice"', "allowed: voice:NAME, or number for the note of the first one"),
        ('on = "control"\nto = "mute"', "number is missing; give the controller's, 0 to 127"),
        ('on = "control"\nnumber = 3\nto = "preset"', "to is 'preset'; allowed: preset:NAME"),
        ('on = "control"\nnumber = 40\nbits = 14\nto = "pitch"', "number is 40; allowed with bits = 14: 0 to 31"),
        ('on = "control"\nnumber = 4\nbits = 8\nto = "pitch"', "bits is 8; allowed: 7 or 14"),
        ('on = "control"\nnumber = 4\nbits = 14\nto = "mute"', "bits means nothing for control to 'mute'"),
        ('on = "note"\nto = "parameter:a.b"', "a note cannot work 'parameter:a.b'; allowed: control, pitch"),
        ('on = "pitch-bend"\nto = "mute"', "a pitch bend cannot work 'mute'; allowed: note, control, program"),
        ('on = "pitch-bend"\nnumber = 1\nto = "pitch"', "number means nothing for pitch-bend"),
        ('on = "pitch-bend"\nto = "pitch"\nlow = -30', "low is -30; allowed: -24 to 24 semitones"),
        ('on = "pressure"\nto = "parameter:a.b"\nlow = 1\nhigh = 1', "low and high are both 1; allowed: two"),
        ('on = "pressure"\nto = "parameter:a.b"\nlow = 0\ncurve = "log"', "low is 0; allowed with curve = 'log': more"),
        ('on = "pressure"\nto = "parameter:a.b"\ncurve = "exp"', "curve is 'exp'; known: linear, log, s"),
        ('on = "program"\nto = "push-to-talk"', "a program cannot be held for 'push-to-talk'; allowed: action"),
        ('on = "note"\nto = "panic"\naction = "hold"', "action means nothing for note to 'panic'"),
        ('on = "note"\nmessage = {type = "panc"}', "there is no message type 'panc'; did you mean 'panic'?"),
        ('on = "note"\nmessage = {type = "mute", on = 3}', "mute: on is 3; allowed: true or false or null"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(binding: str, sentence: str) -> None:
    text = f'schema_version = 1\nname = "X"\n[[binding]]\n{binding}\n'
    with pytest.raises(ControlError) as caught:
        read_map(text.encode(), "x.toml")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("x.toml: ")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = 'X'", "x.toml: schema_version is None; allowed: 1"),
        ("schema_version = 2\nname = 'X'", "schema_version is 2; allowed: 1"),
        ("schema_version = 1", "x.toml: name is missing"),
        ("schema_version = 1\nname = ' '", "name is ' '; allowed: one line that is not empty"),
        ("schema_version = 1\nname = 'X'\nchanel = 3", "unknown key 'chanel' (= 3); did you mean 'channel'?"),
        ("schema_version = 1\nname = 'X'\nchannel = 17", "channel is 17; allowed: a whole number from 0 to 16"),
        (
            "schema_version = 1\nname = 'X'\npresets = 'deep'",
            "presets is 'deep'; allowed: a list of at most 1024 names",
        ),
        ("schema_version = 1\nname = 'X'\nbinding = 3", "binding is 3; allowed: tables, each headed [[binding]]"),
    ],
)
def test_what_is_wrong_at_the_top_is_said_as_well(text: str, sentence: str) -> None:
    with pytest.raises(ControlError) as caught:
        read_map(text.encode(), "x.toml")
    assert sentence in str(caught.value)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the user's maps."""
    monkeypatch.setattr(platformdirs, "user_config_path", lambda _name: tmp_path)
    return tmp_path / "midi"


def test_the_default_map_is_there_and_may_be_hidden_by_ones_own(folder: Path) -> None:
    assert [(info.name, info.origin, info.damaged) for info in list_maps()] == [("default", "vcfx", False)]
    own = dataclasses.replace(load_map("default"), description="mine")
    save_map(own, map_file("default"))
    assert load_map("default") == own
    assert [(info.origin, info.description) for info in list_maps()] == [("user", "mine")]
    (folder / "bad.toml").write_text("schema_version = 1\n")
    assert [info.damaged for info in list_maps()] == [True, False]
    assert [path.name for path in folder.iterdir()].count("default.toml") == 1


def test_maps_are_found_by_name_or_by_file(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="there is no MIDI map 'defalt'; did you mean 'default'"):
        load_map("defalt")
    with pytest.raises(ControlError, match="there is no such MIDI map"):
        load_map(str(tmp_path / "none.toml"))
    path = tmp_path / "stage.toml"
    assert load_or_new(str(path)) == MidiMap("Stage")
    save_map(MidiMap("Stage", channel=3), path)
    assert load_or_new(str(path)) == load_map(str(path)) == MidiMap("Stage", channel=3)
    assert load_or_new("my-pads").name == "My pads"


def test_a_file_that_cannot_be_written_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ControlError, match="cannot be written"):
        save_map(MidiMap("X"), tmp_path / "file" / "x.toml")


def test_what_is_taught_last_holds() -> None:
    deep, robot = (Binding("note", parse_target(f"preset:{name}"), 60, channel=1) for name in ("deep", "robot"))
    other = Binding("note", parse_target("mute"), 61, channel=1)
    taught = with_binding(MidiMap("X", bindings=(deep, other)), robot)
    assert taught.bindings == (other, robot)
    on_two = dataclasses.replace(robot, channel=2)
    assert with_binding(MidiMap("X", bindings=(deep,)), on_two).bindings == (deep, on_two)
    anywhere = Binding("note", parse_target("panic"), 60)
    assert with_binding(MidiMap("X", bindings=(anywhere,)), robot).bindings == (robot,)


def test_a_binding_hears_its_channel_and_range() -> None:
    binding = Binding("note", parse_target("voice"), 36, 39)
    midi_map = MidiMap("X", channel=2, bindings=(binding, Binding("note", parse_target("mute"), 38, channel=5)))

    def targets(channel: int, number: int) -> list[str]:
        return [str(found.to) for found in midi_map.bindings_of(MidiEvent("note", channel, number, 1))]

    assert [targets(2, number) for number in (35, 36, 39, 40)] == [[], ["voice"], ["voice"], []]
    assert targets(1, 38) == []
    assert targets(5, 38) == ["mute"]
    assert binding.trigger == "note 36 to 39"
