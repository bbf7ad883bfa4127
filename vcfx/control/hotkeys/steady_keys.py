"""What the keyboard says, without the flutter of keys that repeat."""

from __future__ import annotations

import math
from typing import Final

from .combination import MODIFIERS, generic

#: X11 lets a held key come up and go down again many times a second, within a millisecond: a key has come up only
#: when it stays up for longer. Modifiers do not repeat, and must be up at once for the key that comes next.
RELEASE_S: Final = 0.03
#: A key that goes down when it has been down for so long without repeating came up unnoticed meanwhile: systems lose
#: the release of a sign whose shift key came up first.
FORGET_S: Final = 1.5


class SteadyKeys:
    """Turns presses and releases into those that a finger made."""

    def __init__(self) -> None:
        self._seen_s: dict[str, float] = {}
        self._coming_up_s: dict[str, float] = {}

    def change(self, key: str, down: bool, now_s: float) -> list[tuple[str, bool]]:
        """Return what has happened by now: keys, and whether they went down."""
        happened = self.settle(now_s)
        if not down:
            if generic(key) in MODIFIERS:
                return happened + ([(key, False)] if self._seen_s.pop(key, None) is not None else [])
            if key in self._seen_s:
                self._coming_up_s.setdefault(key, now_s + RELEASE_S)
            return happened
        self._coming_up_s.pop(key, None)
        seen_s = self._seen_s.get(key)
        self._seen_s[key] = now_s
        if seen_s is None:
            happened.append((key, True))
        elif now_s - seen_s > FORGET_S:
            happened += [(key, False), (key, True)]
        return happened

    def settle(self, now_s: float) -> list[tuple[str, bool]]:
        """Return the keys that have come up for good by now."""
        up = [key for key, due_s in self._coming_up_s.items() if due_s <= now_s]
        for key in up:
            del self._coming_up_s[key], self._seen_s[key]
        return [(key, False) for key in up]

    def next_s(self) -> float:
        """Return when `settle` will have news; infinite if it will not."""
        return min(self._coming_up_s.values(), default=math.inf)
