"""JSON of which there are no two readings."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def read_json(content: bytes) -> Any:
    """Return what UTF-8 JSON holds; tables with a key twice, and numbers that are none, are refused.

    Raises
    ------
    ValueError
        If it cannot be read, or is nested too deeply.
    """
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_table, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key is there twice")
    return table


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
