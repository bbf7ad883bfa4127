"""Combinations of keys as people write them: ``ctrl+alt+m``, ``f13``, ``ctrl_r``."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Final

from vcfx.errors import ControlError, nearest

MODIFIERS: Final = ("ctrl", "alt", "alt_gr", "shift", "cmd")
_SIDED: Final = tuple(f"{name}_{side}" for name in ("ctrl", "alt", "shift", "cmd") for side in "lr")
#: Keys with a name; every other key is the sign that it types.
NAMED: Final = frozenset(
    (
        *MODIFIERS, *_SIDED, *(f"f{number}" for number in range(1, 25)),
        "space", "enter", "tab", "esc", "backspace", "delete", "insert", "home", "end", "page_up", "page_down",
        "up", "down", "left", "right", "pause", "print_screen", "scroll_lock", "caps_lock", "num_lock", "menu",
        "media_play_pause", "media_next", "media_previous", "media_stop",
        "media_volume_mute", "media_volume_up", "media_volume_down",
    )
)  # fmt: skip
_OTHER_NAMES: Final = {
    "control": "ctrl", "option": "alt", "altgr": "alt_gr", "win": "cmd", "super": "cmd", "meta": "cmd",
    "command": "cmd", "escape": "esc", "return": "enter", "del": "delete", "ins": "insert", "pgup": "page_up",
    "pgdn": "page_down", "pageup": "page_up", "pagedown": "page_down", "plus": "+", "equal": "=", "minus": "-",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Combination:
    """A key and the modifiers that must be held with it.

    Parameters
    ----------
    modifiers
        Of `MODIFIERS`.
    key
        A name of `NAMED`, or the sign that the key types.
    """

    modifiers: frozenset[str]
    key: str

    def is_key(self, key: str) -> bool:
        """Whether this is the combination's own key; ``ctrl`` is either of the two."""
        return self.key in (key, generic(key))

    def __str__(self) -> str:
        return "+".join([*(name for name in MODIFIERS if name in self.modifiers), self.key])


def generic(key: str) -> str:
    """Return the modifier that a key is, whichever side it is on; other keys as they are."""
    return key[:-2] if key in _SIDED else key


def modifiers_in(keys: Set[str]) -> frozenset[str]:
    """Return the modifiers among keys."""
    return frozenset(generic(key) for key in keys if generic(key) in MODIFIERS)


def combination(text: str) -> Combination:
    """Return the combination that a text names; the last key is the one that counts.

    Raises
    ------
    ControlError
        If a key is not known, or one in front of the last is no modifier.
    """
    names = [_OTHER_NAMES.get(name, name) for name in text.lower().replace(" ", "").split("+")]
    for name in names:
        if name not in NAMED and not (len(name) == 1 and name.isprintable()):
            raise ControlError(f"hotkey {ascii(text)[:60]}: there is no key {_called(name)}")
    *held, key = names
    for name in held:
        if name not in MODIFIERS:
            raise ControlError(f"hotkey {ascii(text)[:60]}: {name!a} in front of '+'; allowed: {', '.join(MODIFIERS)}")
    if generic(key) in held:
        raise ControlError(f"hotkey {ascii(text)[:60]}: {key!a} is given twice")
    return Combination(frozenset(held), key)


def _called(name: str) -> str:
    return f"{ascii(name)[:40]}{nearest(name[:40], NAMED)}" if name else "without a name; write plus for '+'"
