"""All checks, in the order in which they are told."""

from __future__ import annotations

from vcfx.doctor.check import Check
from vcfx.doctor.control import check_hotkeys
from vcfx.doctor.machine import check_cache, check_governor, check_priority
from vcfx.doctor.plugins import check_plugins
from vcfx.doctor.software import check_ffmpeg, check_kernels, check_packages, check_python
from vcfx.doctor.sound import check_sound
from vcfx.doctor.voice import check_voice


def examine() -> list[Check]:
    """Look at everything; nothing is changed but for the making of the cache folder."""
    checks = [
        check_python(),
        *check_packages(),
        check_kernels(),
        check_ffmpeg(),
        *check_voice(),
        *check_plugins(),
        check_hotkeys(),
    ]
    return [*checks, *check_sound(), *check_priority(), *check_governor(), *check_cache()]
