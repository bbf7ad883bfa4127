"""Compiled DSP: kernels and the nodes made of them. Needs numpy and numba, knows nothing above it."""

from __future__ import annotations

from .errors import GraphError, ParameterError, VcfxError

__all__ = ["GraphError", "ParameterError", "VcfxError"]
