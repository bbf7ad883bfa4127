"""From TOML to a checked `MidiMap`. Every error names the file, the table, the key and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from vcfx.control.messages import Message
from vcfx.control.wire import message_from_json
from vcfx.errors import ControlError, PresetError, nearest
from vcfx.presets.document import parse
from vcfx.presets.place import (
    Place,
    Table,
    check_keys,
    check_text,
    read_flag,
    read_name,
    read_number,
    read_tables,
    read_text,
    read_texts,
    shown,
)
from vcfx_dsp.parameters import Parameter

from .event import SOURCES, VALUE_MAX
from .midi_map import ACTIONS, CURVES, SCHEMA_VERSION, Binding, MidiMap
from .target import Target, parse_target
from .unfit import default_action, unfit

MAX_BINDINGS: Final = 1_024
MAX_PRESETS: Final = 1_024
TOP_KEYS: Final = ("schema_version", "name", "description", "channel", "pickup", "lights", "presets", "binding")
NUMBERS: Final = {
    "number": Parameter("number", 0.0, 0, VALUE_MAX, integer=True),
    "last": Parameter("last", 0.0, 0, VALUE_MAX, integer=True),
    "channel": Parameter("channel", 0.0, 0, 16, integer=True),
    "bank": Parameter("bank", 0.0, 0, (VALUE_MAX << 7) + VALUE_MAX, integer=True),
    "bits": Parameter("bits", 7.0, 7, 14, integer=True),
    "low": Parameter("low", 0.0, -1e9, 1e9),
    "high": Parameter("high", 0.0, -1e9, 1e9),
    "on_light": Parameter("on_light", float(VALUE_MAX), 0, VALUE_MAX, integer=True),
    "off_light": Parameter("off_light", 0.0, 0, VALUE_MAX, integer=True),
}
BINDING_KEYS: Final = ("on", "to", "message", "curve", "pickup", "action", *NUMBERS)


def read_map(content: bytes, file: str) -> MidiMap:
    """Return the map that a TOML text describes.

    Parameters
    ----------
    content
        UTF-8 TOML, at most 1 MB.
    file
        How errors name it.

    Raises
    ------
    ControlError
        One sentence: file, table, key, value, what is allowed.
    """
    try:
        return _read_document(parse(content, file), Place(file))
    except PresetError as error:  # the checks that maps and presets share raise it
        raise ControlError(str(error)) from None


def _read_document(document: dict[str, Any], place: Place) -> MidiMap:
    version = document.get("schema_version")
    if type(version) is not int or version != SCHEMA_VERSION:
        raise place.wrong(f"schema_version is {shown(version)}; allowed: {SCHEMA_VERSION}")
    check_keys(document, TOP_KEYS, place)
    bindings = [_read_binding(*item) for item in read_tables(document, "binding", place, MAX_BINDINGS)]
    return MidiMap(
        name=read_name(document, place),
        description=read_text(document, "description", place, default=""),
        channel=int(read_number(document, NUMBERS["channel"], place)),
        pickup=read_flag(document, "pickup", place),
        lights=read_flag(document, "lights", place),
        presets=read_texts(document, "presets", place, MAX_PRESETS, "names"),
        bindings=tuple(bindings),
    )


def _read_binding(table: Table, place: Place) -> Binding:
    check_keys(table, BINDING_KEYS, place)
    on = _word(table, "on", SOURCES, place)
    here = place.of_kind(on)
    numbers = {key: read_number(table, declared, here) for key, declared in NUMBERS.items() if key in table}
    whole = {key: int(value) for key, value in numbers.items() if NUMBERS[key].integer}
    if whole.get("bits", 7) not in (7, 14):
        raise here.wrong(f"bits is {whole['bits']}; allowed: 7 or 14")
    to = _target(table, here)
    action = _word(table, "action", ACTIONS, here) if "action" in table else default_action(to)
    binding = Binding(
        on=on,  # type: ignore[arg-type]  # one of SOURCES
        to=to,
        low=numbers.get("low"),
        high=numbers.get("high"),
        curve=_word(table, "curve", CURVES, here) if "curve" in table else "linear",  # type: ignore[arg-type]
        pickup=read_flag(table, "pickup", here) if "pickup" in table else None,
        action=action,  # type: ignore[arg-type]
        **whole,
    )
    problem = unfit(binding, frozenset(table))
    if problem:
        raise here.wrong(problem)
    return binding


def _target(table: Table, place: Place) -> Target:
    if ("to" in table) == ("message" in table):
        raise place.wrong("has to do one thing; allowed: either to or message")
    try:
        if "to" in table:
            return parse_target(check_text(table["to"], "to", place))
        message: Message = message_from_json(table["message"])
    except ControlError as error:
        raise place.wrong(str(error)) from None
    return Target("message", message=message)


def _word(table: Table, key: str, allowed: Sequence[str], place: Place) -> str:
    word = read_text(table, key, place)
    if word not in allowed:
        raise place.wrong(f"{key} is {shown(word)}{nearest(word, allowed)}")
    return word
