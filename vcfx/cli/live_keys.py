"""What the keys of `vcfx run` do."""

from __future__ import annotations

from collections.abc import Callable

from vcfx.engine.engine import Engine
from vcfx.errors import VcfxError
from vcfx.presets import Preset, list_presets, load_preset

#: From a preset's name or file to the preset that runs.
Loader = Callable[[str], Preset]


class LiveKeys:
    """Turns key presses into changes of the engine. Thread: control."""

    def __init__(self, engine: Engine, load: Loader = load_preset) -> None:
        self._load = load
        self.quit = False
        self.notice = ""
        self._engine = engine
        self._names = [info.name for info in list_presets()]
        self._position = self._find(engine.preset.name)

    def press(self, key: str) -> None:
        """Act on one key; unknown keys do nothing."""
        engine = self._engine
        match key.lower():
            case "b":
                engine.bypassed = not engine.bypassed
            case "m":
                engine.muted = not engine.muted
            case "n":
                self._step(1)
            case "p":
                self._step(-1)
            case "q" | "\x1b":
                self.quit = True

    def _step(self, by: int) -> None:
        self._position = (self._position + by) % len(self._names)
        try:
            self._engine.set_preset(self._load(self._names[self._position]))
            self.notice = ""
        except VcfxError as error:
            self.notice = str(error)

    def _find(self, name: str) -> int:
        folded = [known.casefold() for known in self._names]
        return folded.index(name.casefold()) if name.casefold() in folded else -1
