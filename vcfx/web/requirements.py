"""What the web server needs beyond the rest of the program."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from vcfx.errors import ControlError

PACKAGES: Final = ("fastapi", "pydantic", "starlette", "uvicorn", "websockets")


def check_installed() -> None:
    """Raise a `ControlError` that says what to install, if something is missing."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise ControlError(f"the web server needs {', '.join(missing)}: pip install 'vcfx-voice[web]'")
