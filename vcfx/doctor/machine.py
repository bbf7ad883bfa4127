"""Priority, processor, folders, disk."""

from __future__ import annotations

import getpass
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from vcfx.doctor.check import Check, run_child, verdict

LEAST_FREE_MB: Final = 500
GOVERNORS: Final = "/sys/devices/system/cpu"
TRY_REAL_TIME: Final = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"


def check_priority() -> list[Check]:
    """Try to give a child process real-time priority; only Linux asks for a permission."""
    if sys.platform != "linux":
        return []
    import resource

    allowed = not run_child("-I", "-S", "-c", TRY_REAL_TIME, timeout_s=20.0).failure
    limit = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
    limit_text = f"RLIMIT_RTPRIO {'unlimited' if limit == resource.RLIM_INFINITY else limit}"
    detail = f"allowed ({limit_text})" if allowed else f"not allowed ({limit_text}): dropouts under load"
    line = f"{_user()} - rtprio 95"
    mend = f'echo "{line}" | sudo tee /etc/security/limits.d/95-vcfx.conf    (then log in again)'
    return [verdict("real-time priority", allowed, detail, "extra", mend)]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return "@audio"


def check_governor(root: Path = Path(GOVERNORS)) -> list[Check]:
    """Look at the frequency governor, where the kernel shows it."""
    found = set()
    for path in root.glob("cpu[0-9]*/cpufreq/scaling_governor"):
        try:
            found.add(path.read_text().strip())
        except OSError:
            continue
    if not found:
        return []
    is_steady = found == {"performance"}
    detail = ", ".join(sorted(found)) + ("" if is_steady else ": the clock may rise too late for short blocks")
    return [verdict("CPU governor", is_steady, detail, "extra", "sudo cpupower frequency-set -g performance")]


def check_cache() -> list[Check]:
    """Look whether compiled kernels can be kept, and whether there is room for them."""
    try:
        from vcfx_dsp.core.cache import cache_root
    except ImportError:  # numba is missing: the packages' check says so
        return []
    folder = cache_root()
    checks = [_writable(folder)]
    existing = next((path for path in (folder, *folder.parents) if path.exists()), None)
    if existing is not None:
        free_mb = shutil.disk_usage(existing).free // 1_000_000
        detail = f"{free_mb:,} MB free for {folder}" + ("" if free_mb >= LEAST_FREE_MB else f", least {LEAST_FREE_MB}")
        mend = f"free some room: du -xh {existing} | sort -h | tail"
        checks.append(verdict("disk", free_mb >= LEAST_FREE_MB, detail, "extra", mend))
    return checks


def _writable(folder: Path) -> Check:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        mend = "export VCFX_CACHE_DIR=/a/folder/you/may/write"
        if os.name == "posix":
            mend = f"sudo chown -R {_user()} {folder}    (or: {mend})"
        detail = f"{folder} cannot be written ({error.strerror}): kernels are compiled at every start"
        return verdict("cache folder", False, detail, "extra", mend)
    return Check("cache folder", "ok", str(folder))
