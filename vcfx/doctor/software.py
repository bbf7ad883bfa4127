"""Python, its packages, the kernels, ffmpeg."""

from __future__ import annotations

import platform
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from typing import Final

from vcfx.devices.packages import install_command, pip_command
from vcfx.doctor.check import Check, ChildResult, Need, run_child, verdict

LEAST_PYTHON: Final = (3, 11)
IMPORT_TIMEOUT_S: Final = 60.0
KERNEL_TIMEOUT_S: Final = 120.0
#: package on the index -> (module, which job needs it); the same packages as in pyproject.toml.
PACKAGES: Final[dict[str, tuple[str, Need]]] = {
    "cryptography": ("cryptography", "extra"),
    "mutagen": ("mutagen", "files"),
    "numpy": ("numpy", "files"),
    "numba": ("numba", "files"),
    "onnxruntime": ("onnxruntime", "extra"),
    "safetensors": ("safetensors", "extra"),
    "soundfile": ("soundfile", "files"),
    "platformdirs": ("platformdirs", "files"),
    "rich": ("rich", "files"),
    "tomli-w": ("tomli_w", "files"),
    "pedalboard": ("pedalboard", "extra"),
    "python-osc": ("pythonosc", "extra"),
    "python-rtmidi": ("rtmidi", "extra"),
    "sounddevice": ("sounddevice", "live"),
}
TRY_A_KERNEL: Final = """
import numpy as np
from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.registry import create
node = create("gain", gain_db=-20.0)
node.prepare(ProcessSpec(48_000, 4_800, 1))
block = np.ones((1, 4_800), np.float32)
node.process(block, block)
assert abs(block[0, -1] - 0.1) < 1e-6, block[0, -1]
"""


def check_python() -> Check:
    """Look at Python itself."""
    wanted = ".".join(map(str, LEAST_PYTHON))
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    mend = f"install Python {wanted} or newer, then: {pip_command('vcfx-voice')}"
    return verdict("Python", sys.version_info >= LEAST_PYTHON, detail, "files", mend)


def check_packages() -> list[Check]:
    """Import each package in a child process: some wheels stop the process on processors they were not built for."""
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(_try_import, [module for module, _ in PACKAGES.values()])
        return [_of_package(name, result) for name, result in zip(PACKAGES, results, strict=True)]


def _try_import(module: str) -> ChildResult:
    return run_child("-c", f"import {module}", timeout_s=IMPORT_TIMEOUT_S)


def _of_package(package: str, result: ChildResult) -> Check:
    module, need = PACKAGES[package]
    if not result.failure:
        return Check(package, "ok", _version(package), need)
    if "PortAudio library not found" in result.failure:  # the package is fine: the PortAudio check tells the rest
        return Check(package, "ok", "installed; PortAudio is not", need)
    if "SIGILL" in result.failure:
        mend = pip_command(package, "--force-reinstall", "--no-binary", package)
        return verdict(package, False, "its wheel does not run on this processor (SIGILL)", need, mend)
    absent = f"No module named '{module}'" in result.failure
    mend = pip_command(package, *([] if absent else ["--force-reinstall"]))
    return verdict(package, False, "not installed" if absent else result.failure, need, mend)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "installed, without a version"


def check_kernels() -> Check:
    """Compile a kernel and run it."""
    result = run_child("-c", TRY_A_KERNEL, timeout_s=KERNEL_TIMEOUT_S)
    detail = result.failure or "a kernel was compiled and gave the right result"
    return verdict("kernels", not result.failure, detail, "files", pip_command("numba llvmlite", "--force-reinstall"))


def check_ffmpeg() -> Check:
    """Look for the ffmpeg program, which only films and formats that libsndfile does not read need."""
    path = shutil.which("ffmpeg")
    return verdict("ffmpeg", path is not None, path or "not installed", "extra", install_command("ffmpeg"))
