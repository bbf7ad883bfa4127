"""Host nodes: effects that are not our kernels and therefore run on the worker."""

from __future__ import annotations
