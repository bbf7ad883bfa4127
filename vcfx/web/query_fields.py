"""A message's fields from a query string, for buttons that can send an address and nothing else."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterable
from typing import Any, Final

from vcfx.control import wire
from vcfx.errors import ControlError

_ON: Final = frozenset({"true", "on", "yes", "1"})
_OFF: Final = frozenset({"false", "off", "no", "0"})


def fields_from_query(kind_name: str, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the fields as JSON values; what is no number or truth value where one belongs stays text.

    Raises
    ------
    ControlError
        If a field is given twice.
    """
    hints = typing.get_type_hints(wire.TYPES[kind_name])
    found: dict[str, Any] = {}
    for name, text in pairs:
        if name in found:
            raise ControlError(f"{kind_name}: the field {ascii(name)[:60]} is given twice")
        found[name] = _value(text, hints.get(name, str))
    return found


def _value(text: str, hint: Any) -> Any:
    union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    kinds = typing.get_args(hint) if union else (hint,)
    if bool in kinds and text.lower() in _ON | _OFF:
        return text.lower() in _ON
    if types.NoneType in kinds and str not in kinds and text == "":
        return None
    if float in kinds or int in kinds:
        try:
            number = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return number if isinstance(number, int | float) and not isinstance(number, bool) else text
    return text
