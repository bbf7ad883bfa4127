"""Where compiled kernels are kept on disk, so that the second start is quick.

numba's cache notices a change of a function's own file only. What it may call besides is `vcfx_dsp.core` (for nodes),
or anything in its own package (for the application): a hash of those sources names the folder.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba

#: Read when this package is imported, so that a folder's name says what the process really compiles.
_CORE_SOURCES = [source.read_bytes() for source in sorted(Path(__file__).parent.glob("*.py"))]
_KEPT_S = 30 * 24 * 3600.0
_GIVEN_BY_USER = bool(numba.config.CACHE_DIR)
#: Tells worker processes of the folder that stands in for one that cannot be written.
_STAND_IN = "VCFX_KERNELS_STAND_IN"


def cache_root() -> Path:
    """Return the user's cache folder for vcfx; ``VCFX_CACHE_DIR`` overrides it."""
    if given := os.environ.get("VCFX_CACHE_DIR"):
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = _home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache")
    return base / "vcfx"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and no entry for this user: nothing can be kept
        return Path(os.devnull)


@cache
def _kernels_folder() -> Path:
    """Return where kernels are kept: a temporary folder if the user's cannot be written; numba refuses such a one."""
    folder = cache_root() / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        if _STAND_IN not in os.environ:
            os.environ[_STAND_IN] = tempfile.mkdtemp(prefix="vcfx-kernels-")
            atexit.register(shutil.rmtree, os.environ[_STAND_IN], ignore_errors=True)
        return Path(os.environ[_STAND_IN])


@cache
def kernel_cache(package: str = "vcfx_dsp") -> Path:
    """Return the folder for the compiled functions of a top-level package."""
    digest = hashlib.sha256(numba.__version__.encode())
    for text in _CORE_SOURCES:
        digest.update(text)
    origin = getattr(sys.modules.get(package), "__file__", None)
    if origin and package != "vcfx_dsp":
        for source in sorted(Path(origin).parent.rglob("*.py")):
            text = source.read_bytes()
            if b"vcfx_dsp.core" in text:  # all that holds compiled code imports from there
                digest.update(text)
    folder = _kernels_folder() / digest.hexdigest()[:16]
    if not folder.exists():
        _forget_old_versions(folder.parent)
    return folder


def _forget_old_versions(kernels: Path) -> None:
    """Remove the folders of versions that are long gone; called when a new version makes its own."""
    for folder in kernels.glob("*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _KEPT_S:
                shutil.rmtree(folder)


@contextmanager
def kernel_cache_for(function: Callable[..., Any]) -> Iterator[None]:
    """Let numba keep `function` in our folder while it is decorated, unless ``NUMBA_CACHE_DIR`` names another.

    Afterwards numba's own setting holds again: other people's functions are not ours to keep.
    """
    before = numba.config.CACHE_DIR
    if not _GIVEN_BY_USER:
        numba.config.CACHE_DIR = str(kernel_cache(function.__module__.split(".")[0]))
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
