"""Machine-level verbs for compiled code: pointers, atomics, calls through an address, float mode, clock."""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
import sys
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_INT64 = ir.IntType(64)
_BYTE_POINTER = ir.IntType(8).as_pointer()
_FLUSH_BITS_X86 = 0x8040  # MXCSR: flush-to-zero (bit 15) and denormals-are-zero (bit 6)
_FLUSH_BIT_ARM = 1 << 24  # FPCR: FZ
# Stack slots are made once per function (`alloca_once`): made where they are used, a loop around them eats the stack.
_MACHINE = platform.machine().lower()


@intrinsic  # type: ignore[untyped-decorator]
def as_pointer(typingctx: Any, address: Any) -> Any:
    """Turn an integer address into a pointer for `numba.carray`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], _BYTE_POINTER)

    return types.voidptr(types.intp), codegen


@intrinsic  # type: ignore[untyped-decorator]
def as_address(typingctx: Any, pointer: Any) -> Any:
    """Turn a void pointer into an integer address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ptrtoint(args[0], _INT64)

    return types.intp(types.voidptr), codegen


@intrinsic  # type: ignore[untyped-decorator]
def float_bits(typingctx: Any, value: Any) -> Any:
    """Return the 64 bits of a float as an integer."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _INT64)

    return types.int64(types.float64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def float_of_bits(typingctx: Any, bits: Any) -> Any:
    """Return the float with these 64 bits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def call_node(
    typingctx: Any, function: Any, state: Any, block_in: Any, block_out: Any, channels: Any, frames: Any
) -> Any:
    """Call the kernel at an address."""
    signature = types.void(*[types.intp] * 4, types.int64, types.int64)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function_type = ir.FunctionType(ir.VoidType(), [_INT64] * 5)
        builder.call(builder.inttoptr(args[0], function_type.as_pointer()), args[1:])
        return context.get_dummy_value()

    return signature, codegen


@intrinsic  # type: ignore[untyped-decorator]
def load_acquire(typingctx: Any, address: Any) -> Any:
    """Read an int64 atomically (acquire): what was written before its release is visible after it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(args[0], _INT64.as_pointer()), "acquire", 8)

    return types.int64(types.intp), codegen


@intrinsic  # type: ignore[untyped-decorator]
def store_release(typingctx: Any, address: Any, value: Any) -> Any:
    """Write an int64 atomically (release): everything written before is visible to who acquires it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[1], builder.inttoptr(args[0], _INT64.as_pointer()), "release", 8)
        return context.get_dummy_value()

    return types.void(types.intp, types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def exchange(typingctx: Any, address: Any, value: Any) -> Any:
    """Swap an int64 atomically and return what was there."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("xchg", builder.inttoptr(args[0], _INT64.as_pointer()), args[1], "seq_cst")

    return types.int64(types.intp, types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def flush_denormals(typingctx: Any) -> Any:
    """Make tiny floats zero on this thread and return the former mode; does nothing on unknown machines."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if _MACHINE in ("x86_64", "amd64"):
            slot = cgutils.alloca_once(builder, ir.IntType(32))
            pointer = builder.bitcast(slot, _BYTE_POINTER)
            _call_void(builder, "llvm.x86.sse.stmxcsr", pointer)
            mode = builder.load(slot)
            builder.store(builder.or_(mode, ir.Constant(ir.IntType(32), _FLUSH_BITS_X86)), slot)
            _call_void(builder, "llvm.x86.sse.ldmxcsr", pointer)
            return builder.zext(mode, _INT64)
        if _MACHINE in ("arm64", "aarch64"):
            mode = builder.call(_declare(builder, "llvm.aarch64.get.fpcr", _INT64, []), [])
            flushed = builder.or_(mode, ir.Constant(_INT64, _FLUSH_BIT_ARM))
            builder.call(_declare(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), [_INT64]), [flushed])
            return mode
        return ir.Constant(_INT64, 0)

    return types.int64(), codegen


@intrinsic  # type: ignore[untyped-decorator]
def restore_float_mode(typingctx: Any, mode: Any) -> Any:
    """Undo `flush_denormals`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if _MACHINE in ("x86_64", "amd64"):
            slot = cgutils.alloca_once(builder, ir.IntType(32))
            builder.store(builder.trunc(args[0], ir.IntType(32)), slot)
            _call_void(builder, "llvm.x86.sse.ldmxcsr", builder.bitcast(slot, _BYTE_POINTER))
        elif _MACHINE in ("arm64", "aarch64"):
            builder.call(_declare(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), [_INT64]), [args[0]])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def clock_ns(typingctx: Any, function: Any) -> Any:
    """Read the monotonic clock through `CLOCK_ADDRESS`; 0 where there is none."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if sys.platform == "win32":  # QueryPerformanceCounter(int64*): 100 ns ticks on every supported Windows
            slot = cgutils.alloca_once(builder, _INT64)
            target = ir.FunctionType(ir.IntType(32), [_INT64.as_pointer()]).as_pointer()
            builder.call(builder.inttoptr(args[0], target), [slot])
            return builder.mul(builder.load(slot), ir.Constant(_INT64, 100))
        slot = cgutils.alloca_once(builder, ir.ArrayType(_INT64, 2))  # struct timespec on 64-bit systems
        pointer = builder.bitcast(slot, _INT64.as_pointer())
        target = ir.FunctionType(ir.IntType(32), [ir.IntType(32), _INT64.as_pointer()]).as_pointer()
        builder.call(builder.inttoptr(args[0], target), [ir.Constant(ir.IntType(32), _MONOTONIC), pointer])
        seconds = builder.load(pointer)
        nanoseconds = builder.load(builder.gep(pointer, [ir.Constant(_INT64, 1)]))
        return builder.add(builder.mul(seconds, ir.Constant(_INT64, 1_000_000_000)), nanoseconds)

    return types.int64(types.intp), codegen


@intrinsic  # type: ignore[untyped-decorator]
def write_bytes(typingctx: Any, function: Any, descriptor: Any, source: Any, count: Any) -> Any:
    """Call POSIX ``write(descriptor, source, count)`` through its address: wakes a thread that waits on a pipe."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target = ir.FunctionType(_INT64, [ir.IntType(32), _INT64, _INT64]).as_pointer()
        descriptor = builder.trunc(args[1], ir.IntType(32))
        return builder.call(builder.inttoptr(args[0], target), [descriptor, args[2], args[3]])

    return types.int64(types.intp, types.int64, types.intp, types.int64), codegen


def _declare(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


def _call_void(builder: Any, name: str, pointer: Any) -> None:
    builder.call(_declare(builder, name, ir.VoidType(), [_BYTE_POINTER]), [pointer])


def _function_address(name: str) -> int:
    if sys.platform == "win32":
        library: Any = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    else:
        library = ctypes.CDLL(None)
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0


_MONOTONIC = 6 if sys.platform == "darwin" else 1  # CLOCK_MONOTONIC
CLOCK_ADDRESS = _function_address("QueryPerformanceCounter" if sys.platform == "win32" else "clock_gettime")
WRITE_ADDRESS = 0 if sys.platform == "win32" else _function_address("write")
