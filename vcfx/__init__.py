"""Real-time voice changer: graph, engine, devices, files, presets."""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["__version__"]
