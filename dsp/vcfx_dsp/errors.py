"""The errors that vcfx raises on purpose. Each message is one sentence: the thing, its value, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class VcfxError(Exception):
    """Base of every error that vcfx raises on purpose; the command line prints it and exits with 2."""


class ParameterError(VcfxError, ValueError):
    """A parameter's name or value is not allowed."""


class GraphError(VcfxError, ValueError):
    """A graph is wired in a way that cannot be rendered."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant.

    Parameters
    ----------
    name
        What was given.
    known
        The names that are allowed.

    Returns
    -------
    str
        ``"; did you mean 'x'?"`` for a close match, else ``"; known: a, b, c"``.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(names) or 'none'}"
