"""Other people's plugins (VST3, and AU on macOS): found, described, and run where they can do no harm."""

from __future__ import annotations
