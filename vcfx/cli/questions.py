"""Ask a person something, where there is one: standard input and standard error are a terminal."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Final

from vcfx.errors import VcfxError, printable
from vcfx_models.data_folder import with_home

MAX_PASSPHRASE_BYTES: Final = 10_000


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty())


def ask(question: str, default: str = "") -> str:
    """Return what somebody types, one line."""
    say(f"{question}{f' [{default}]' if default else ''}: ", end="")
    line = sys.stdin.readline()
    if not line:
        say("")
        raise VcfxError("there was no answer; nothing was done")
    return line.strip() or default


def ask_for_yes(question: str) -> bool:
    """Return whether somebody types the whole word yes."""
    return ask(f'{question} Type "yes" or "no"').casefold() == "yes"


def say(text: str, end: str = "\n") -> None:
    """Tell a person something, beside what the command prints."""
    print(printable(text), end=end, file=sys.stderr, flush=True)


def passphrase(file: str | None, question: str, twice: bool = False) -> str:
    """Return a passphrase from a file's first line, or from the terminal, where it does not show.

    Raises
    ------
    VcfxError
        If there is neither, or two typings differ.
    """
    if file is not None:
        return _first_line(with_home(Path(file)))
    if not can_ask():
        raise VcfxError("a passphrase is needed, and nobody is there to be asked; give --passphrase-file F")
    typed = getpass.getpass(f"{question}: ", stream=sys.stderr)
    if typed and twice and getpass.getpass("The same again: ", stream=sys.stderr) != typed:
        raise VcfxError("the two passphrases differ; nothing was done")
    return typed


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_PASSPHRASE_BYTES)
        line = content.decode().splitlines()[0] if content else ""
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is no text in UTF-8"
        raise VcfxError(f"the passphrase cannot be read from '{path}': {reason}") from None
    if not line:
        raise VcfxError(f"the passphrase cannot be read from '{path}': its first line is empty")
    return line
