"""From a file's bytes to TOML tables, with limits that keep a hostile file from costing time or memory."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from vcfx.errors import PresetError

MAX_BYTES: Final = 1_000_000
#: A dotted key costs the parser time with the square of its length, and it cannot span lines.
MAX_LINE: Final = 4_096


def read_bytes(path: Path) -> bytes:
    """Return a preset file's bytes.

    Raises
    ------
    PresetError
        If there is no such file, it is no ordinary file, larger than 1 MB, or cannot be read.
    """
    try:
        if not path.exists():
            raise PresetError(f"{shown_path(path)}: there is no such preset file")
        if not path.is_file():
            raise PresetError(f"{shown_path(path)}: is not an ordinary file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except PresetError:
        raise
    except (OSError, ValueError) as error:
        raise PresetError(f"{shown_path(path)}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    check_size(content, shown_path(path))
    return content


def shown_path(path: Path) -> str:
    """Return a path on one line."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def check_size(content: bytes, file: str) -> None:
    """Refuse more than 1 MB."""
    if len(content) > MAX_BYTES:
        raise PresetError(f"{file}: is larger than {MAX_BYTES // 1000} kB; presets are small text files")


def parse(content: bytes, file: str) -> dict[str, Any]:
    """Return the tables of a TOML text.

    Raises
    ------
    PresetError
        If it is too large, not UTF-8, or not TOML; names the line.
    """
    check_size(content, file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PresetError(f"{file}: line {line} is not UTF-8 text") from None
    for number, line_text in enumerate(text.split("\n"), start=1):
        if len(line_text) > MAX_LINE:
            raise PresetError(f"{file}: line {number} has {len(line_text)} characters; allowed: {MAX_LINE}")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise PresetError(f"{file}: is nested too deeply") from None
    except ValueError as error:  # also for a whole number of thousands of digits, which is no TOMLDecodeError
        raise PresetError(f"{file}: is not TOML: {error}") from None
