"""How this thread treats the smallest floats: libraries that were built for speed change it for good when loaded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from vcfx_dsp.core.kernel import compiled_entry
from vcfx_dsp.core.native import flush_denormals, restore_float_mode


@compiled_entry
def _present_mode() -> int:
    mode = flush_denormals()
    restore_float_mode(mode)
    return int(mode)


@compiled_entry
def _set_mode(mode: int) -> None:
    restore_float_mode(mode)


@contextlib.contextmanager
def kept_float_mode() -> Iterator[None]:
    """Put the mode back afterwards; without this, Python's own arithmetic would lose its denormals."""
    mode = _present_mode()
    try:
        yield
    finally:
        _set_mode(mode)
