"""What a converted file has to say of itself: what the renderer does, and what the input said already."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from vcfx.provenance.disclosure import Disclosure, now_disclosed
from vcfx.provenance.tags import read_tags

from .renderer import Renderer
from .source import Source


@runtime_checkable
class Disclosing(Protocol):
    """A renderer that knows whose voice it gives to the sound."""

    @property
    def disclosure(self) -> Disclosure:
        """What is to be said."""
        ...


def disclosure_for(renderer: Renderer, path: Path, audio: Source) -> Disclosure | None:
    """Return what the output is to say; None if there is nothing to disclose.

    Parameters
    ----------
    renderer
        Prepared.
    path, audio
        The input, and what was read of it: an artificial voice that is converted by an equaliser stays artificial.
    """
    made = renderer.disclosure if isinstance(renderer, Disclosing) else Disclosure()
    if made.says_something:
        made = now_disclosed(made)
    earlier, _ = read_tags(path, audio.tags.get("comment", ""))
    said = made.after(earlier)
    return said if said.says_something else None
