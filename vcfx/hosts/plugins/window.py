"""A plugin's own window, in a child process: ``python -m ...window PARENT PATH NAME``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

from vcfx.errors import PluginError

from .description import HOST_OWNED, PluginDescription
from .family import die_with_parent, speak_privately
from .hosted import load_instance, values_of


def changed_in_window(plugin: PluginDescription) -> dict[str, Any]:
    """Show the window until it is closed; return the parameters that were moved there, as presets write them.

    Raises
    ------
    PluginError
        If there is no display, or the plugin has no window or crashes.
    """
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise PluginError("there is no display to open a window on (DISPLAY is not set)")
    child = subprocess.run(
        [sys.executable, "-m", "vcfx.hosts.plugins.window", str(os.getpid()), plugin.path, plugin.name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    lines = child.stdout.splitlines()
    if not lines:
        how = signal.Signals(-child.returncode).name if child.returncode < 0 else f"exit code {child.returncode}"
        raise PluginError(f"the window of '{plugin.name}' ended with {how}")
    told = json.loads(lines[-1])
    if "error" in told:
        raise PluginError(f"the window of '{plugin.name}' cannot be shown: {told['error']}")
    keys = {parameter.name: parameter.key for parameter in plugin.parameters}
    return {keys[name]: value for name, value in told["changed"].items() if name in keys}


def main() -> int:
    """Show the window; then say on the standard output what was changed."""
    die_with_parent(int(sys.argv[1]))
    speaker = speak_privately()
    try:
        plugin = load_instance(sys.argv[2], sys.argv[3])
        before = values_of(plugin)
        plugin.show_editor()
        after = values_of(plugin)
        changed = {name: value for name, value in after.items() if before[name] != value and name not in HOST_OWNED}
        told: dict[str, Any] = {"changed": changed}
    except Exception as error:  # foreign code: whatever it raises is what is wrong with it
        told = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
    speaker.write(json.dumps(told) + "\n")
    speaker.flush()
    os._exit(0)  # without taking the plugin down, which some do not survive


if __name__ == "__main__":
    sys.exit(main())
