"""Messages, outcomes and states as JSON objects, checked on the way in: one form for sockets, HTTP and logs."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Final

from vcfx.errors import ControlError, nearest

from . import messages as m

#: The longest text that a message may carry.
MAX_TEXT: Final = 1_000
#: `type` of each message on the wire: ``switch_preset`` for `SwitchPreset` and so on.
TYPES: Final[dict[str, type[Any]]] = {}


def _wire_name(kind: type[Any]) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).lstrip("_")


TYPES.update({_wire_name(kind): kind for kind in typing.get_args(m.Message)})
_NAMES: Final = {kind: name for name, kind in TYPES.items()}
_HINTS: Final = {kind: typing.get_type_hints(kind) for kind in TYPES.values()}


def message_to_json(message: m.Message) -> dict[str, Any]:
    """Return a message as an object with its ``type``."""
    return {"type": _NAMES[type(message)], **dataclasses.asdict(message)}


def message_from_json(document: object) -> m.Message:
    """Return the message that an object holds.

    Raises
    ------
    ControlError
        Naming what is wrong: no object, an unknown type or field, a value that is not allowed.
    """
    if not isinstance(document, Mapping):
        raise ControlError("a message is a JSON object with the field 'type'")
    kind_name = document.get("type")
    if not isinstance(kind_name, str) or kind_name not in TYPES:
        near = nearest(kind_name, TYPES) if isinstance(kind_name, str) else ""
        raise ControlError(f"there is no message type {_shown(kind_name)}{near}; allowed: {', '.join(TYPES)}")
    kind = TYPES[kind_name]
    hints = _HINTS[kind]
    given = {name: value for name, value in document.items() if name != "type"}
    for name in given:
        if name not in hints:
            allowed = f"; allowed: {', '.join(hints)}" if hints else "; it has none"
            raise ControlError(f"{kind_name}: unknown field {_shown(name)}{allowed}")
    for field in dataclasses.fields(kind):
        if field.default is dataclasses.MISSING and field.name not in given:
            raise ControlError(f"{kind_name}: the field '{field.name}' is missing")
    message: m.Message = kind(**{n: _checked(value, hints[n], f"{kind_name}: {n}") for n, value in given.items()})
    return message


def outcome_to_json(outcome: m.Outcome) -> dict[str, Any]:
    """Return an outcome's fields with ``applied``: true for `Applied`, false for `Refused`."""
    return {"applied": isinstance(outcome, m.Applied), **dataclasses.asdict(outcome)}


def outcome_from_json(document: Mapping[str, Any]) -> m.Outcome:
    """Return the outcome that `outcome_to_json` wrote."""
    fields = {name: value for name, value in document.items() if name != "applied"}
    return m.Applied(**fields) if document["applied"] else m.Refused(**fields)


def _checked(value: object, hint: Any, place: str) -> Any:
    """Return a value of the hinted type; a whole number is a number too, True is not."""
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        allowed = typing.get_args(hint)
        if value not in allowed or not isinstance(value, str):
            raise ControlError(f"{place} is {_shown(value)}; allowed: {', '.join(allowed)}")
        return value
    kinds = typing.get_args(hint) if origin in (types.UnionType, typing.Union) else (hint,)
    for kind in kinds:
        if _is_of(value, kind):
            return float(value) if kind is float else value  # type: ignore[arg-type]
    words = {str: f"text of at most {MAX_TEXT} characters", float: "a finite number", int: "a whole number"}
    words |= {bool: "true or false", types.NoneType: "null"}
    raise ControlError(f"{place} is {_shown(value)}; allowed: {' or '.join(words[kind] for kind in kinds)}")


def _is_of(value: object, kind: type[Any]) -> bool:
    if kind is str:
        return isinstance(value, str) and len(value) <= MAX_TEXT and value.isprintable()
    if kind is bool or kind is types.NoneType:
        return isinstance(value, kind)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if kind is int:
        return isinstance(value, int) and abs(value) < 1 << 31
    return abs(value) < 1e12  # nor NaN, nor an integer too large for a float


def _shown(value: object) -> str:
    return ascii(value)[:60]
