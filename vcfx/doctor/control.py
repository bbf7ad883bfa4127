"""What controls a voice from outside: hotkeys."""

from __future__ import annotations

from vcfx.control.hotkeys.keyboard import unavailable
from vcfx.devices.packages import pip_command
from vcfx.doctor.check import Check, verdict


def check_hotkeys() -> Check:
    """Say whether keys can control the voice whichever window has the focus; the keyboard itself is not opened."""
    reason = unavailable()
    mend = (
        pip_command("pynput") if "pynput" in reason else "" if not reason else "bind keys of the desktop to: vcfx send"
    )
    return verdict("hotkeys", not reason, reason or "keys work in every window (--hotkey)", "extra", mend)
