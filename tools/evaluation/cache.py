"""Results of slow meters, kept by the hash of what was measured."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .sound import Sound, load_sound, save_sound


class Cache:
    """A folder with one small JSON file for each meter and sound, and with the sounds that runs made.

    Parameters
    ----------
    folder
        Made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def value(self, meter: str, key: str, measure: Callable[[], Any]) -> Any:
        """Return what `meter` found for `key`, from the folder or else by measuring.

        `meter` names the meter with its version and settings: change the name when they change.
        """
        path = self.folder / meter / key[:2] / f"{key}.json"
        if path.is_file():
            return json.loads(path.read_text(encoding="utf-8"))
        found = measure()
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
        temporary.write_text(json.dumps(found), encoding="utf-8")
        temporary.replace(path)
        return found

    def _sound_path(self, key: str) -> Path:
        return self.folder / "sounds" / key[:2] / f"{key}.flac"

    def keep_sound(self, sound: Sound) -> str:
        """Store a sound for pictures and return its key."""
        key = sound.content_hash()
        if not self._sound_path(key).is_file():
            save_sound(self._sound_path(key), sound)
        return key

    def sound(self, key: str) -> Sound | None:
        """Return a kept sound, or None."""
        path = self._sound_path(key)
        return load_sound(path) if path.is_file() else None
