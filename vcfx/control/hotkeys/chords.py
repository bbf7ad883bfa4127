"""From keys that go down and come up to messages."""

from __future__ import annotations

from collections.abc import Iterable

from vcfx.control.messages import Message

from .binding import Hotkey
from .combination import modifiers_in


class Chords:
    """Knows which keys are down, and what that means."""

    def __init__(self, hotkeys: Iterable[Hotkey]) -> None:
        self._hotkeys = list(hotkeys)
        self._down: set[str] = set()
        self._held: list[Hotkey] = []

    def change(self, key: str, down: bool) -> list[Message]:
        """Take note of a key; returns the messages that this means.

        A combination counts when its key goes down while exactly its modifiers are held, and is over when any of its
        keys comes up.
        """
        if not down:
            self._down.discard(key)
            return self._let_go([hotkey for hotkey in self._held if not self._is_held(hotkey)])
        modifiers = modifiers_in(self._down - {key})
        self._down.add(key)
        begun = [
            hotkey
            for hotkey in self._hotkeys
            if hotkey.combination.is_key(key) and hotkey.combination.modifiers == modifiers
        ]
        self._held += [hotkey for hotkey in begun if hotkey.released is not None and hotkey not in self._held]
        return [hotkey.pressed for hotkey in begun]

    def let_go(self) -> list[Message]:
        """Forget all keys; returns the messages of combinations that were held."""
        self._down.clear()
        return self._let_go(list(self._held))

    def _let_go(self, hotkeys: list[Hotkey]) -> list[Message]:
        for hotkey in hotkeys:
            self._held.remove(hotkey)
        return [hotkey.released for hotkey in hotkeys if hotkey.released is not None]

    def _is_held(self, hotkey: Hotkey) -> bool:
        chosen = hotkey.combination
        return any(chosen.is_key(key) for key in self._down) and chosen.modifiers <= modifiers_in(self._down)
