"""Who this installation is."""

from __future__ import annotations

from vcfx_models.errors import ConsentError
from vcfx_models.papers import audit
from vcfx_models.papers.keys import SigningKey, create_own_key, own_key

from .tags import NAMELESS, installation_tag


def installation_key() -> SigningKey:
    """Return the installation's key, made at first need; the log is there before it.

    Raises
    ------
    ConsentError
        If key or log cannot be read or written.
    """
    found = own_key()
    if found is not None:
        return found
    audit.append("installed", {})
    return create_own_key()


def own_tag() -> int:
    """Return the tag of this installation; `NAMELESS` where its folder cannot be read or written.

    The mark is put in all the same: that something was converted can be told, by whom cannot.
    """
    try:
        return installation_tag(installation_key().public)
    except (ConsentError, OSError):
        return NAMELESS


def present_tag() -> int:
    """Return the tag that marks carry by now; `NAMELESS` before there is a key. Makes nothing."""
    try:
        key = own_key()
    except ConsentError:
        return NAMELESS
    return NAMELESS if key is None else installation_tag(key.public)
