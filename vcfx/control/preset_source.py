"""Where the presets of a live run come from: the library, with the voice in front that a person has chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vcfx.presets import Preset, load_preset
from vcfx.presets.voice_chain import with_voice
from vcfx_dsp.parameters import Value

#: Why a program without a preset's name shows none.
PLAIN_VOICE = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A preset that runs, or is about to.

    Parameters
    ----------
    preset
        As it is now, with every change made to it.
    base
        As it was loaded, the voice in front included.
    name
        What it was loaded by; empty where it came from nowhere.
    """

    preset: Preset
    base: Preset
    name: str


class PresetSource:
    """Loads presets by name. A chosen voice stays in front of every preset until it is given up. Thread: control.

    Parameters
    ----------
    voice
        Parameters of the node `voice` in front of every preset; empty for none.
    load
        From a name or file to a preset.
    """

    def __init__(self, voice: Mapping[str, Value] | None = None, load: Callable[[str], Preset] = load_preset) -> None:
        self.voice: dict[str, Value] = dict(voice or {})
        self._load = load

    def wanted(self, name: str) -> Wanted:
        """Return a preset by name or file; an empty name means the voice alone.

        Raises
        ------
        VcfxError
            If there is none, or it is damaged.
        """
        own = None if name == PLAIN_VOICE and self.voice else self._load(name)
        preset = with_voice(own, self.voice) if self.voice else own
        assert preset is not None
        return Wanted(preset, preset, name)

    def choose_voice(self, voice: str) -> None:
        """Put a voice in front of every preset from now on; an empty name ends that."""
        self.voice = self.voice | {"voice": voice} if voice else {}
