"""Where the control sockets of running voices are: a folder that only their user can enter."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_runtime_path

from vcfx.errors import ControlError

SOCKET_ENDING: Final = ".sock"
PORT_ENDING: Final = ".port"
#: The kernel's limit for a socket's path is 104 to 108 bytes; names need some of them.
_MOST_FOLDER_BYTES: Final = 70


@dataclass(frozen=True, slots=True)
class ControlAddress:
    """Where one running voice listens.

    Parameters
    ----------
    name
        The number of its process (with ``-2`` and so on where one process runs several).
    path
        Its socket; on Windows a file with port and token.
    """

    name: str
    path: Path


def folders() -> Iterator[Path]:
    """Return the folders where sockets may be, the better one first. They need not exist."""
    with warnings.catch_warnings():  # it warns where the system has no such folder and takes a temporary one
        warnings.simplefilter("ignore")
        runtime = user_runtime_path("vcfx", appauthor=False)
    if len(os.fsencode(runtime)) <= _MOST_FOLDER_BYTES:
        yield runtime
    if hasattr(os, "getuid"):  # not $TMPDIR: whoever looks for a voice may have another one
        yield Path(f"/tmp/vcfx-{os.getuid()}")


def open_folder() -> Path:
    """Return the first folder that is there, or can be made, and that nobody else can enter.

    Raises
    ------
    ControlError
        If there is none.
    """
    tried = []
    for folder in folders():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_ours(folder):
                folder.chmod(0o700)
                return folder
            tried.append(f"{folder} belongs to somebody else")
        except OSError as error:
            tried.append(f"{folder}: {error.strerror}")
    raise ControlError(f"there is no private folder for the control socket ({'; '.join(tried)})")


def listed() -> list[ControlAddress]:
    """Return every address whose file is there; its process may be dead."""
    found = []
    for folder in folders():
        try:
            names = sorted(os.listdir(folder)) if _is_private(folder) else []
        except OSError:  # it is not there
            continue
        endings = (SOCKET_ENDING, PORT_ENDING)
        found += [ControlAddress(name[:-5], folder / name) for name in names if name.endswith(endings)]
    return found


def _is_ours(folder: Path) -> bool:
    """Whether it is a real folder of this user: a link could lead anywhere."""
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == os.getuid())


def _is_private(folder: Path) -> bool:
    return _is_ours(folder) and (os.name == "nt" or not folder.lstat().st_mode & 0o077)
