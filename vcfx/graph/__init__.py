"""The graph that people edit, and the frozen plan that sound runs through."""

from __future__ import annotations
