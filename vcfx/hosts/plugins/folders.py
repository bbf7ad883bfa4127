"""Where plugins lie on each system."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

VST3, AU = ".vst3", ".component"
MAX_DEPTH: Final = 4


def standard_folders(platform: str = sys.platform) -> list[Path]:
    """Return the folders in which plugins are installed, the user's own first; they need not exist."""
    home = Path.home()
    if platform == "darwin":
        audio = Path("Library/Audio/Plug-Ins")
        return [root / audio / kind for root in (home, Path("/")) for kind in ("VST3", "Components")]
    if platform == "win32":
        named = [(os.environ.get("LOCALAPPDATA"), "Programs/Common/VST3"), (_common_files(), "VST3")]
        return [Path(root) / folder for root, folder in named if root]
    return [home / ".vst3", Path("/usr/local/lib/vst3"), Path("/usr/lib/vst3"), *_multiarch_folders()]


def find_bundles(folders: Iterable[Path]) -> list[Path]:
    """Return every plugin file or bundle in or below the folders; a path that is one itself counts."""
    found = [bundle for folder in folders for bundle in _below(folder, MAX_DEPTH)]
    return list(dict.fromkeys(found))


def is_bundle(path: Path) -> bool:
    """Whether the name is that of a plugin that this system can load."""
    return path.suffix.lower() == VST3 or (path.suffix.lower() == AU and sys.platform == "darwin")


def _below(path: Path, depth: int) -> Iterator[Path]:
    if is_bundle(path):
        if path.exists():
            yield path
        return
    if depth == 0 or not path.is_dir():
        return
    try:
        inside = sorted(path.iterdir())
    except OSError:  # a folder that may not be read holds nothing for us
        return
    for item in inside:
        yield from _below(item, depth - 1)


def _common_files() -> str | None:
    return os.environ.get("CommonProgramFiles")  # noqa: SIM112  Windows spells it so


def _multiarch_folders() -> list[Path]:
    return sorted(Path("/usr/lib").glob("*-linux-gnu*/vst3"))
