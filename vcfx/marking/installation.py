"""Who this installation is."""

from __future__ import annotations

from vcfx_models.errors import ConsentError
from vcfx_models.papers import audit
from vcfx_models.papers.keys import own_key

from .tags import NAMELESS, installation_tag


def own_tag() -> int:
    """Return the tag of this installation, whose key is made at first need; `NAMELESS` where that cannot be.

    The mark is put in all the same: that something was converted can be told, by whom cannot.
    """
    try:
        return installation_tag(audit.install().public)
    except (ConsentError, OSError):
        return NAMELESS


def present_tag() -> int:
    """Return the tag that marks carry by now; `NAMELESS` before there is a key. Makes nothing."""
    try:
        key = own_key()
    except ConsentError:
        return NAMELESS
    return NAMELESS if key is None else installation_tag(key.public)
