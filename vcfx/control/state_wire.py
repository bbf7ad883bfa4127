"""What clients show (state, meters, catalogue) as JSON objects, and back."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from vcfx.errors import ControlError

from .live_state import Catalogue, LiveState, Meters

Read = Callable[[Any], Any]
_Kind = TypeVar("_Kind", LiveState, Meters, Catalogue)


def state_to_json(state: LiveState) -> dict[str, Any]:
    """Return the state as an object with the names of `LiveState`; what is not finite becomes null."""
    return _fields_of(state)


def state_from_json(document: object) -> LiveState:
    """Return the state that `state_to_json` wrote; fields that are not known are passed over.

    Raises
    ------
    ControlError
        If a field is missing or of another type.
    """
    return _read(LiveState, document)


def meters_to_json(meters: Meters) -> dict[str, Any]:
    """Return the meters as an object with the names of `Meters`."""
    return _fields_of(meters)


def meters_from_json(document: object) -> Meters:
    """Return the meters that `meters_to_json` wrote; raises `ControlError` as `state_from_json` does."""
    return _read(Meters, document)


def catalogue_to_json(catalogue: Catalogue) -> dict[str, Any]:
    """Return the catalogue as an object with the names of `Catalogue`."""
    return _fields_of(catalogue)


def catalogue_from_json(document: object) -> Catalogue:
    """Return the catalogue that `catalogue_to_json` wrote; raises `ControlError` as `state_from_json` does."""
    return _read(Catalogue, document)


def _fields_of(instance: Any) -> dict[str, Any]:
    # not `dataclasses.asdict`: it copies every value and takes ten times as long
    kind: Any = type(instance)
    return {name: _plain(getattr(instance, name)) for name in _names(kind)}


@functools.cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):  # bool is an int
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return _fields_of(value)


def _read(kind: type[_Kind], document: object) -> _Kind:
    anything: Any = kind
    try:
        found: _Kind = _reader(anything)(document)
    except (TypeError, ValueError, AttributeError) as error:
        raise ControlError(f"this is no {kind.__name__}: {error}") from None
    return found


@functools.cache
def _reader(hint: Any) -> Read:
    """Return what turns a JSON value into a value of the hinted type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return _tuple_reader(_reader(inner[0]))
    if origin is dict:
        return _dict_reader(_reader(inner[1]))
    if origin is typing.Literal:
        return _word_reader(inner)
    if origin in (types.UnionType, typing.Union):
        return _either_reader(inner)
    return _object_reader(hint) if dataclasses.is_dataclass(hint) else _plain_reader(hint)


def _tuple_reader(read: Read) -> Read:
    def items(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise TypeError("a list is missing")
        return tuple(map(read, value))

    return items


def _dict_reader(read: Read) -> Read:
    return lambda value: {str(name): read(item) for name, item in value.items()}


def _word_reader(words: tuple[str, ...]) -> Read:
    def word(value: Any) -> str:
        if value not in words:
            raise ValueError(f"{ascii(value)[:60]} is none of {', '.join(words)}")
        return str(value)

    return word


def _either_reader(kinds: tuple[Any, ...]) -> Read:
    readers = [_reader(kind) for kind in kinds if kind is not types.NoneType]
    optional = types.NoneType in kinds

    def first_that_fits(value: Any) -> Any:
        if value is None and optional:
            return None
        for read in readers[:-1]:
            try:
                return read(value)
            except (TypeError, ValueError, AttributeError):
                continue
        return readers[-1](value)

    return first_that_fits


def _object_reader(kind: Any) -> Read:
    hints = typing.get_type_hints(kind)
    readers = {name: _reader(hints[name]) for name in _names(kind)}

    def whole(value: Any) -> Any:
        return kind(**{name: read(value[name]) for name, read in readers.items() if name in value})

    return whole


def _plain_reader(kind: type[Any]) -> Read:
    def plain(value: Any) -> Any:
        if kind is float and value is None:
            return math.nan  # it was not finite
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise TypeError(f"{ascii(value)[:60]} is no {kind.__name__}")
        return value

    return plain
