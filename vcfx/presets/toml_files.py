"""Named TOML files: those in a folder of the user's, those that come with vcfx, and what counts as a path."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

SUFFIX: Final = ".toml"


def is_path(text: str) -> bool:
    """Whether a person means a file and not a name: it ends in ``.toml`` or holds a separator."""
    return text.endswith(SUFFIX) or any(separator in text for separator in ("/", "\\"))


def packaged_files(folder: Traversable) -> dict[str, bytes]:
    """Return the contents of a folder's TOML files by name."""
    files = [item for item in folder.iterdir() if item.name.endswith(SUFFIX)]
    return {item.name.removesuffix(SUFFIX): item.read_bytes() for item in files}


def files_in(folder: Path) -> dict[str, Path]:
    """Return the TOML files of a folder by name; none if there is no such folder."""
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))} if folder.is_dir() else {}
