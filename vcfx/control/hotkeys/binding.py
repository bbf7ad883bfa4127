"""What hotkeys do: from options and from the user's hotkeys.toml."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from vcfx.control.messages import Message, PushToTalk
from vcfx.control.words import message_from_words
from vcfx.errors import ControlError, nearest

from .combination import Combination, combination

_MOST_BYTES: Final = 100_000
_TABLE: Final = "hotkeys"


@dataclass(frozen=True, slots=True)
class Hotkey:
    """A combination, the message when it goes down, and the one when it comes up again (None: none)."""

    combination: Combination
    pressed: Message
    released: Message | None


def hotkeys_file() -> Path:
    """Return where the user's hotkeys are; it need not exist."""
    return platformdirs.user_config_path("vcfx") / "hotkeys.toml"


def hotkey(keys: str, message: str) -> Hotkey:
    """Return the hotkey for ``ctrl+alt+m`` and ``mute on``; ``push-to-talk`` alone talks while it is held.

    Raises
    ------
    ControlError
        If there are no such keys or no such message.
    """
    try:
        words = shlex.split(message)
    except ValueError as error:
        raise ControlError(f"hotkey {ascii(keys)[:60]}: {ascii(message)[:60]}: {str(error).lower()}") from None
    chosen = combination(keys)
    if words and words[0].replace("_", "-") == "push-to-talk" and len(words) == 1:
        return Hotkey(chosen, PushToTalk(True), PushToTalk(False))
    try:
        return Hotkey(chosen, message_from_words(words), None)
    except ControlError as error:
        raise ControlError(f"hotkey {chosen}: {error}") from None


def hotkeys_from_options(options: Iterable[str]) -> list[Hotkey]:
    """Return the hotkeys of options such as ``ctrl+alt+m=mute``; raises `ControlError` for a wrong one."""
    found = []
    for option in options:
        keys, equals, message = option.partition("=")
        if not equals:
            raise ControlError(f'--hotkey is {ascii(option)[:80]}; allowed: KEYS=MESSAGE, such as "ctrl+alt+m=mute"')
        found.append(hotkey(keys, message))
    return found


def hotkeys_from_file(path: Path) -> list[Hotkey]:
    """Return the hotkeys of a file; none if it is not there.

    Raises
    ------
    ControlError
        Naming the file and what is wrong in it.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        document = tomllib.loads(text.decode("utf-8")) if len(text) <= _MOST_BYTES else None
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ControlError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ControlError(f"{path} is no TOML: {error}") from None
    if document is None:
        raise ControlError(f"{path} has more than {_MOST_BYTES} bytes")
    for name in document:
        if name != _TABLE:
            raise ControlError(f"{path}: unknown key {ascii(name)[:60]}{nearest(name[:60], [_TABLE])}")
    table = document.get(_TABLE, {})
    if not isinstance(table, dict) or not all(isinstance(message, str) for message in table.values()):
        raise ControlError(f'{path}: [{_TABLE}] holds lines such as "ctrl+alt+m" = "mute"')
    try:
        return [hotkey(keys, message) for keys, message in table.items()]
    except ControlError as error:
        raise ControlError(f"{path}: {error}") from None


def merged(*sources: Iterable[Hotkey]) -> list[Hotkey]:
    """Return all hotkeys; of those with the same keys the last one counts."""
    return list({chosen.combination: chosen for source in sources for chosen in source}.values())
