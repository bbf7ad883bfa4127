"""The plugins that were found on this machine."""

from __future__ import annotations

from vcfx.doctor.check import Check


def check_plugins() -> list[Check]:
    """Tell what the last `vcfx plugins scan` has found; nothing is loaded for it."""
    try:
        from vcfx.hosts.plugins.inventory import Inventory
    except ImportError:  # a package is missing: the packages' check says so
        return []
    found = Inventory.load().plugins()
    if not found:
        return [Check("plugins", "optional", "none known yet", "extra", "vcfx plugins scan")]
    aside = [plugin.name for plugin in found if plugin.problem]
    names = f"; put aside: {', '.join(aside)}" if aside else ""
    return [Check("plugins", "ok", f"{len(found) - len(aside)} found{names}")]
