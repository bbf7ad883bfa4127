"""Declared parameters: name, default, range and unit, checked in one place for every node."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .errors import ParameterError, nearest

Value = float | str
MAX_TEXT = 1_000
MAX_OPAQUE = 700_000
MAX_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a node.

    Parameters
    ----------
    name
        With its unit as the ending: ``cutoff_hz``, ``attack_ms``, ``gain_db``.
    default
        A number, one of `choices`, or text.
    minimum, maximum
        Inclusive range of a number.
    choices
        The words allowed, for a parameter that is one of several words.
    live
        Whether it may change while sound runs. What changes latency or memory may not: it needs a new plan.
    integer
        Whether only whole numbers are allowed.
    text
        Whether it is free text, such as a name or a path: one printable line, which may be empty.
    doc
        One line for people.
    opaque
        Whether it is text for machines only: many lines, up to 700 kB, nothing to show to people.
    """

    name: str
    default: Value
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: tuple[str, ...] = ()
    live: bool = True
    integer: bool = False
    text: bool = False
    doc: str = ""
    opaque: bool = False

    @property
    def longest(self) -> int:
        """The most characters of text."""
        return MAX_OPAQUE if self.opaque else MAX_TEXT

    def check(self, value: object, owner: str) -> Value:
        """Return `value` as a float, a known word or a line of text.

        Raises
        ------
        ParameterError
            Naming `owner`, the parameter, the value and what is allowed.
        """
        if self.choices:
            if value not in self.choices:
                raise ParameterError(f"{owner}: {self.name} is {value!r}; allowed: {', '.join(self.choices)}")
            return str(value)
        if self.text:
            return self._check_text(value, owner)
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
        whole = not self.integer or number.is_integer()
        if not (self.minimum <= number <= self.maximum and whole):
            kind = "a whole number" if self.integer else "a number"
            raise ParameterError(
                f"{owner}: {self.name} is {value!r}; allowed: {kind} from {self.minimum:g} to {self.maximum:g}"
            )
        return number

    def _check_text(self, value: object, owner: str) -> str:
        if isinstance(value, str):
            shown = value.replace("\n", "") if self.opaque else value
            if len(value) <= self.longest and shown.isprintable():
                return value
        lines = "lines" if self.opaque else "one line"
        raise ParameterError(
            f"{owner}: {self.name} is {repr(value)[:MAX_SHOWN]}; "
            f"allowed: {lines} of at most {self.longest} printable characters"
        )


def check_all(declared: Iterable[Parameter], given: Mapping[str, object], owner: str) -> dict[str, Value]:
    """Return every declared parameter's value: the given one, checked, or the default.

    Raises
    ------
    ParameterError
        For an unknown name (naming the nearest known one) or a value out of range.
    """
    by_name = {parameter.name: parameter for parameter in declared}
    for name in given:
        if name not in by_name:
            raise ParameterError(f"{owner}: unknown parameter '{name}'{nearest(name, by_name)}")
    return {
        name: parameter.check(given[name], owner) if name in given else parameter.default
        for name, parameter in by_name.items()
    }
