"""The live engine: compiled callback, worker, device streams, statistics."""

from __future__ import annotations
