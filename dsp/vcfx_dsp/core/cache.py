"""Where compiled kernels are kept on disk, so that the second start is quick."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import numba


def cache_root() -> Path:
    """Return the user's cache folder for vcfx; ``VCFX_CACHE_DIR`` overrides it."""
    if given := os.environ.get("VCFX_CACHE_DIR"):
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "vcfx"


def kernel_cache() -> Path:
    """Return the folder for compiled kernels, named after numba's version and a hash of `vcfx_dsp.core`."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return cache_root() / "kernels" / digest.hexdigest()[:16]


def use_kernel_cache() -> None:
    """Point numba at `kernel_cache`, unless the user chose a folder with ``NUMBA_CACHE_DIR``."""
    if not numba.config.CACHE_DIR:
        numba.config.CACHE_DIR = str(kernel_cache())
