"""Where what belongs to the user is kept: voices, keys, lists, the audit log."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

VARIABLE = "VCFX_DATA_DIR"


def data_folder() -> Path:
    """Return the user's folder, which need not exist; the variable ``VCFX_DATA_DIR`` names another."""
    named = os.environ.get(VARIABLE)
    return with_home(Path(named)).absolute() if named else platformdirs.user_data_path("vcfx")


def with_home(path: Path) -> Path:
    """Return a path with its ``~`` written out; as it is where nobody of that name has a home."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path
