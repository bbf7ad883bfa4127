"""Virtual audio cables on macOS and Windows: programs that others make, known by their devices' names."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Cable:
    """A product that makes virtual devices."""

    product: str
    platform: str  # as in sys.platform
    marks: tuple[str, ...]  # parts of its devices' names
    play_into: str
    record_from: str
    how_to_get: str


CABLES: Final = (
    Cable("BlackHole", "darwin", ("BlackHole",), "BlackHole 2ch", "BlackHole 2ch", "brew install blackhole-2ch"),
    Cable(
        product="Loopback",
        platform="darwin",
        marks=("Loopback Audio",),
        play_into="Loopback Audio",
        record_from="Loopback Audio",
        how_to_get="https://rogueamoeba.com/loopback",
    ),
    Cable(
        product="VB-Cable",
        platform="win32",
        marks=("CABLE Input", "CABLE Output", "VB-Audio"),
        play_into="CABLE Input",
        record_from="CABLE Output",
        how_to_get="https://vb-audio.com/Cable",
    ),
    Cable(
        product="VoiceMeeter",
        platform="win32",
        marks=("VoiceMeeter",),
        play_into="VoiceMeeter Input",
        record_from="VoiceMeeter Output",
        how_to_get="https://vb-audio.com/Voicemeeter",
    ),
)


def cable_named(name: str) -> Cable | None:
    """Return the product that a device of this name belongs to, or None."""
    folded = name.casefold()
    # VoiceMeeter's devices are also called "VB-Audio VoiceMeeter": the most particular mark decides.
    marks = [(mark, cable) for cable in CABLES for mark in cable.marks if mark.casefold() in folded]
    particular = [cable for mark, cable in marks if mark != "VB-Audio"] or [cable for _, cable in marks]
    return particular[0] if particular else None


def cables_for(platform: str = sys.platform) -> list[Cable]:
    """Return the products there are for a platform, the free and common one first."""
    return [cable for cable in CABLES if cable.platform == platform]
