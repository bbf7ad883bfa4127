"""Let a renderer know who speaks in a file before it speaks: where the voice lies and how far it moves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import numpy as np

from .renderer import Renderer
from .source import open_source

if TYPE_CHECKING:
    from vcfx_models.speaker_range import SpeakerRange

#: Of the file's beginning, seconds: more says little more.
MOST_HEARD_S: Final = 120.0
BLOCK_FRAMES: Final = 65_536


@runtime_checkable
class ExpectsSpeaker(Protocol):
    """A renderer whose sound depends on who speaks."""

    @property
    def expects_speaker(self) -> bool:
        """Whether it wants to know."""
        ...

    def expect_speaker(self, known: SpeakerRange | None) -> None:
        """Say who will speak; forgets all signal history."""
        ...


def tell_speaker(source: Path, renderer: Renderer) -> None:
    """Listen to the beginning of a file for a renderer that wants to know who speaks.

    Raises
    ------
    AudioFileError
        If the file is damaged there.
    """
    if isinstance(renderer, ExpectsSpeaker) and renderer.expects_speaker:
        renderer.expect_speaker(range_in(source))


def range_in(source: Path) -> SpeakerRange | None:
    """Return the range of whoever speaks first in a sound file; None if there is less than a second of voice."""
    from vcfx_models.speaker_range import RangeScan

    audio = open_source(source)
    try:
        scan, left = RangeScan(audio.sample_rate), int(MOST_HEARD_S * audio.sample_rate)
        while left > 0 and len(block := audio.read(min(BLOCK_FRAMES, left))):
            mono = block.mean(axis=1)
            scan.hear(np.where(np.isfinite(mono), mono, np.float32(0.0)))
            left -= len(block)
        return scan.range()
    finally:
        audio.close()
