"""Kernels: plain C functions made by numba, called through their address without the GIL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import carray, cfunc, njit, types

from .cache import kernel_cache_for
from .native import as_pointer, call_node, flush_denormals, restore_float_mode

Function = TypeVar("Function", bound=Callable[..., Any])

NODE_SIGNATURE = types.void(types.intp, types.intp, types.intp, types.int64, types.int64)


def compiled(function: Function) -> Function:
    """Compile for use inside kernels: no GIL, no exceptions from division, strict IEEE arithmetic."""
    wrapped: Function = njit(nogil=True, error_model="numpy", fastmath=False)(function)
    return wrapped


def compiled_entry(function: Function) -> Function:
    """Compile for calls from Python; kept in the disk cache."""
    with kernel_cache_for(function):
        wrapped: Function = njit(nogil=True, error_model="numpy", fastmath=False, cache=True)(function)
    return wrapped


class NativeFunction:
    """A C function made from a Python one; compiles when its address is first asked for.

    Lazy, because `@cfunc` compiles at import, and importing must stay cheap.
    """

    signature: Any = None

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__
        self._native: Any = None

    @property
    def address(self) -> int:
        """Address of the C function. Compiles on first use. Thread: control."""
        if self._native is None:
            with kernel_cache_for(self.function):
                self._native = cfunc(self.signature, cache=True, error_model="numpy", nogil=True)(self.function)
        return int(self._native.address)


class Kernel(NativeFunction):
    """A node's function ``(state, block_in, block_out, channels, frames)``."""

    signature = NODE_SIGNATURE


def kernel(function: Callable[..., None]) -> Kernel:
    """Mark a function as a node's kernel; its first line calls `unpack`."""
    return Kernel(function)


@compiled
def unpack(state: int, block_in: int, block_out: int, channels: int, frames: int) -> Any:
    """Return the arrays behind a kernel's five arguments.

    Returns
    -------
    tuple
        settings float64, counters int64, memory float64, samples float32 (see `vcfx_dsp.state.State`),
        and block_in, block_out as float32 (channels, frames).
    """
    table = carray(as_pointer(state), (8,), np.int64)
    settings = carray(as_pointer(table[0]), (table[1],), np.float64)
    counters = carray(as_pointer(table[2]), (table[3],), np.int64)
    memory = carray(as_pointer(table[4]), (table[5],), np.float64)
    samples = carray(as_pointer(table[6]), (table[7],), np.float32)
    x = carray(as_pointer(block_in), (channels, frames), np.float32)
    y = carray(as_pointer(block_out), (channels, frames), np.float32)
    return settings, counters, memory, samples, x, y


@compiled_entry
def run_kernel(function: int, state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    """Call one kernel by its address, with denormals flushed as in the live callback."""
    mode = flush_denormals()
    call_node(function, state, block_in, block_out, channels, frames)
    restore_float_mode(mode)
