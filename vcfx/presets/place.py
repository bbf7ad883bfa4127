"""Where in a preset file something stands, and the checks of single values that name it."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vcfx.errors import ParameterError, PresetError, nearest
from vcfx_dsp.parameters import Parameter, Value

Table = Mapping[str, Any]
MAX_SHOWN: Final = 60
MAX_TEXT: Final = 1000
LARGEST: Final = 1e300


@dataclass(frozen=True, slots=True)
class Place:
    """A table of a file, spelled for people: ``deep.toml: chain 3 > branch 1 > chain 2 (gate)``.

    Tables are counted from 1.
    """

    file: str
    path: str = ""

    def table(self, key: str, number: int | None = None) -> Place:
        """Return the place of a table inside this one, the `number`-th of its name if there are several."""
        step = key if number is None else f"{key} {number}"
        return Place(self.file, f"{self.path} > {step}" if self.path else step)

    def of_kind(self, kind: str) -> Place:
        """Return this place with the node's kind added."""
        return Place(self.file, f"{self.path} ({kind})")

    def __str__(self) -> str:
        return f"{self.file}: {self.path}" if self.path else self.file

    def wrong(self, message: str) -> PresetError:
        """Return an error about this place."""
        return PresetError(f"{self}: {message}")


class _Short(reprlib.Repr):
    """Short, shallow, and safe for what a parsed file may hold."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict, self.maxlist, self.maxstring = 2, 3, 3, MAX_SHOWN

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if abs(x) <= LARGEST else "a number of more than 300 digits"


def shown(value: object) -> str:
    """Return a value in short, without control characters."""
    return _Short().repr(value)


def check_keys(table: Table, known: Iterable[str], place: Place) -> None:
    """Refuse keys that mean nothing, naming the nearest one that does."""
    names = tuple(known)
    for key, value in table.items():
        if key not in names:
            raise place.wrong(f"unknown key {shown(key)} (= {shown(value)}){nearest(key[:MAX_SHOWN], names)}")


def read_value(table: Table, parameter: Parameter, place: Place) -> Value:
    """Return a number or word, checked, or the default where the key is absent."""
    if parameter.name not in table:
        return parameter.default
    value = table[parameter.name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and not abs(value) <= LARGEST:
        raise place.wrong(f"{parameter.name} is {shown(value)}; allowed: finite numbers")
    if not is_number and not (isinstance(value, str) and len(value) <= parameter.longest):
        wanted = " or ".join(map(repr, parameter.choices)) or ("one line of text" if parameter.text else "one number")
        raise place.wrong(f"{parameter.name} is {shown(value)}; allowed: {wanted}")
    try:
        return parameter.check(value, str(place))
    except ParameterError as error:
        raise PresetError(str(error)) from None


def read_number(table: Table, parameter: Parameter, place: Place) -> float:
    """Return a number, checked, or the default."""
    return float(read_value(table, parameter, place))


def read_text(table: Table, key: str, place: Place, *, default: str | None = None) -> str:
    """Return one line of text; it must be there if there is no default."""
    value = table.get(key, default)
    if value is None:
        raise place.wrong(f'{key} is missing; give it as {key} = "..."')
    return check_text(value, key, place)


def check_text(value: object, key: str, place: Place) -> str:
    """Return `value` if it is one printable line of at most 1000 characters."""
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise place.wrong(f"{key} is {shown(value)}; allowed: one line of at most {MAX_TEXT} printable characters")
    return value


def read_name(table: Table, place: Place) -> str:
    """Return the key `name`: one line that is not empty."""
    name = read_text(table, "name", place)
    if not name.strip():
        raise place.wrong(f"name is {shown(name)}; allowed: one line that is not empty")
    return name


def read_texts(table: Table, key: str, place: Place, most: int, what: str) -> tuple[str, ...]:
    """Return a list of lines; `what` names them in the plural."""
    value = table.get(key, [])
    if not isinstance(value, list) or len(value) > most:
        raise place.wrong(f"{key} is {shown(value)}; allowed: a list of at most {most} {what}")
    return tuple(check_text(text, key, place) for text in value)


def read_flag(table: Table, key: str, place: Place) -> bool:
    """Return true or false; false where the key is absent."""
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise place.wrong(f"{key} is {shown(value)}; allowed: true or false")
    return value


def read_tables(table: Table, key: str, place: Place, most: int) -> list[tuple[Table, Place]]:
    """Return the tables of an array of tables, each with its place; none where the key is absent."""
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise place.wrong(f"{key} is {shown(value)}; allowed: tables, each headed [[{key}]]")
    if len(value) > most:
        raise place.wrong(f"{key} has {len(value)} tables; allowed: {most}")
    return [(item, place.table(key, number)) for number, item in enumerate(value, start=1)]
