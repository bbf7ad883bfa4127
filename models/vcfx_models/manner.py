"""How a voice is spoken with."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from .errors import ModelError

#: Range of each control of `Manner`.
RANGES: Final = {
    "pitch_offset_semitones": (-24.0, 24.0),
    "formant_offset_semitones": (-6.0, 6.0),
    "expressiveness": (0.0, 2.0),
    "similarity": (0.0, 1.5),
    "clarity": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How the voice speaks; each new value takes effect along a line over one hop.

    Parameters
    ----------
    pitch_offset_semitones
        -24 to 24, on top of the target's usual pitch.
    formant_offset_semitones
        -6 to 6: longer or shorter vocal tract.
    expressiveness
        0 (on one note) to 2; 1: melody as wide as the target's.
    similarity
        0 (a neutral voice) to 1.5 (beyond the target); 1: the target.
    clarity
        0 to 1: sharper formants.
    """

    pitch_offset_semitones: float = 0.0
    formant_offset_semitones: float = 0.0
    expressiveness: float = 1.0
    similarity: float = 1.0
    clarity: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, (low, high) = getattr(self, field.name), RANGES[field.name]
            if not low <= value <= high:
                raise ModelError(f"{field.name} is {value:g}; allowed: {low:g} to {high:g}")
