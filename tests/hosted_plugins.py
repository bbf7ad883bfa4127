"""Real plugins for tests: those of Debian's zam-plugins, and bundles that go wrong."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from vcfx.hosts.plugins.description import PluginDescription
from vcfx.hosts.plugins.inventory import find_plugin

ZAM: Final = Path("/usr/lib/vst3")
needs_zam = pytest.mark.skipif(not (ZAM / "ZamCompX2.vst3").is_dir(), reason="not installed: zam-plugins")
_COMPILER: Final = shutil.which("cc") or shutil.which("c++")
needs_compiler = pytest.mark.skipif(_COMPILER is None, reason="not installed: a C compiler")
CRASH: Final = "__attribute__((constructor)) static void crash(void) { *(volatile int *)8 = 1; }\n"


def zam(name: str) -> PluginDescription:
    """Return one of the Zam plugins; the cache folder of the test must be its own."""
    return find_plugin(str(ZAM / f"{name}.vst3"))


def crashing_bundle(folder: Path) -> Path:
    """Make a bundle that crashes the process that loads it."""
    bundle = folder / "Crash.vst3"
    library = bundle / "Contents" / "x86_64-linux"
    library.mkdir(parents=True)
    (folder / "crash.c").write_text(CRASH)
    assert _COMPILER is not None
    command = [_COMPILER, "-x", "c", "-shared", "-fPIC", "-o", str(library / "Crash.so"), str(folder / "crash.c")]
    subprocess.run(command, check=True, timeout=60.0)
    return bundle


def wait_until(is_so: Callable[[], object], timeout_s: float = 30.0) -> None:
    """Wait for what must happen, however slow the machine is."""
    limit_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < limit_s, "it has not happened"
        time.sleep(0.005)


def is_running(process_id: int) -> bool:
    """Whether a process is there and is not a zombie."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
