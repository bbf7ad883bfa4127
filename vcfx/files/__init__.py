"""Sound files: reading, writing, and changing the voice in them block by block."""

from __future__ import annotations

from .conversion import ConvertOptions, convert_file
from .renderer import Renderer, RendererFactory, RendererSource
from .result import Result

__all__ = ["ConvertOptions", "Renderer", "RendererFactory", "RendererSource", "Result", "convert_file"]
