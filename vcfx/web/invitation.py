"""What a person is shown when the server is up: the address, and a code for the phone's camera."""

from __future__ import annotations

import io
from importlib.util import find_spec


def invitation(address: str, *, code: bool) -> str:
    """Return the lines to print.

    Parameters
    ----------
    address
        What to open in a browser, with the token where one is needed.
    code
        Whether to draw the address for a camera; left out where the package segno is missing.
    """
    lines = [f"the panel is at {address}"]
    if "#token=" in address:
        lines.append("whoever has this address controls the voice; programs send 'Authorization: Bearer TOKEN'")
        lines.append("the connection is not encrypted: use it in networks that you trust")
        if code and find_spec("segno") is not None:
            lines.append(_drawn(address))
    return "\n".join(lines)


def _drawn(address: str) -> str:
    import segno

    drawing = io.StringIO()
    segno.make(address, error="l").terminal(out=drawing, border=2, compact=True)
    return drawing.getvalue().rstrip("\n")
