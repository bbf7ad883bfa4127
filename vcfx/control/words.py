"""Messages as people write them: ``switch-preset deep``, ``set-parameter pitch semitones -3``, ``mute on=true``."""

from __future__ import annotations

import contextlib
import typing
from collections.abc import Sequence
from typing import Any, Final

from vcfx.errors import ControlError

from .messages import Message
from .wire import TYPES, message_from_json

_FLAGS: Final = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
#: What stands for the value that a field has when nothing is said.
_NOTHING: Final = ("toggle", "none")


def message_from_words(words: Sequence[str]) -> Message:
    """Return the message that words spell: its name, then its fields in order or as FIELD=VALUE.

    Flags are ``on``, ``off`` or, where the message can toggle, ``toggle``.

    Raises
    ------
    ControlError
        Naming what is wrong with it.
    """
    if not words:
        raise ControlError(f"the message is missing; allowed: {', '.join(map(_written, TYPES))}")
    name = words[0].replace("-", "_")
    if name not in TYPES:
        return message_from_json({"type": name})  # which says what it could be
    hints = typing.get_type_hints(TYPES[name])
    document: dict[str, Any] = {}
    for word in words[1:]:
        field, equals, text = word.partition("=")
        if not equals or field not in hints:
            field, text = next((known for known in hints if known not in document), ""), word
        if not field:
            raise ControlError(f"{_written(name)} takes {_count(len(hints))}; {ascii(word)[:60]} is one too many")
        if field in document:
            raise ControlError(f"{_written(name)}: {field} is given twice")
        document[field] = _value(text, hints[field])
    return message_from_json({"type": name, **document})


def _value(text: str, hint: Any) -> object:
    """Return what a word means for a field; what means nothing stays text, for the check that follows."""
    kinds = typing.get_args(hint) or (hint,)
    if bool in kinds and text.lower() in _FLAGS:
        return _FLAGS[text.lower()]
    if type(None) in kinds and bool in kinds and text.lower() in _NOTHING:
        return None
    for kind in (int, float):
        if kind in kinds:
            with contextlib.suppress(ValueError):
                return kind(text)
    return text


def _written(name: str) -> str:
    return name.replace("_", "-")


def _count(fields: int) -> str:
    return {0: "nothing more", 1: "one value"}.get(fields, f"{fields} values")
