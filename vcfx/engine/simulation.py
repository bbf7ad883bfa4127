"""Two devices with two clocks in simulated time: hours pass in seconds, and every run is the same.

The engine's own callbacks are called in the order in which two drivers would call them; the engine reads the
simulated time instead of the machine's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import carray, cfunc, types
from numba.extending import intrinsic

from vcfx_dsp.core.kernel import compiled, compiled_entry
from vcfx_dsp.core.native import as_pointer

from . import cells as c
from .engine import Engine

TONE_HZ = 440.0
_LEVEL = 0.25
_SILENT = 1e-3


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """What came out.

    Parameters
    ----------
    blocks
        Output blocks after the settling time.
    silent_blocks
        Those (or 10 ms stretches of long ones) without sound: drop-outs.
    """

    blocks: int
    silent_blocks: int


@intrinsic  # type: ignore[untyped-decorator]
def _call_stream(typingctx: Any, function: Any, source: Any, target: Any, frames: Any, user_data: Any) -> Any:
    """Call a PortAudio callback by its address."""
    signature = types.void(types.intp, types.intp, types.intp, types.int64, types.intp)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        function_type = ir.FunctionType(ir.IntType(32), [word] * 6)
        zero = ir.Constant(word, 0)
        target = builder.inttoptr(args[0], function_type.as_pointer())
        builder.call(target, [args[1], args[2], args[3], zero, zero, args[4]])
        return context.get_dummy_value()

    return signature, codegen


@compiled
def _silent_stretches(pointer: int, frames: int, stretch: int) -> int:
    row = carray(as_pointer(pointer), (frames,), np.float32)
    silent = 0
    for start in range(0, frames - stretch + 1, stretch):
        peak = 0.0
        for frame in range(start, start + stretch):
            peak = max(peak, abs(row[frame]))
        silent += peak < _SILENT
    return silent


@compiled_entry
def _run(
    callbacks: npt.NDArray[np.int64],
    engine: int,
    pointers_in: npt.NDArray[np.int64],
    pointers_out: npt.NDArray[np.int64],
    blocks: npt.NDArray[np.int64],
    rates: npt.NDArray[np.float64],
    times_s: npt.NDArray[np.float64],
    now: npt.NDArray[np.int64],
) -> tuple[int, int]:
    """Run from times_s[0] for times_s[1] seconds, count after times_s[2], up to times_s[3] late; 0 is the input."""
    next_in, next_out = times_s[0] + blocks[0] / rates[0], times_s[0] + 0.37 * blocks[1] / rates[1]
    end, settled = times_s[0] + times_s[1], times_s[0] + times_s[2]
    phase, step = 0.0, 2.0 * math.pi * TONE_HZ / rates[0]
    heard, silent, noise = 0, 0, 1
    while min(next_in, next_out) < end:
        noise = (noise * 1_103_515_245 + 12_345) & 0x7FFFFFFF  # the C standard's example generator
        late = times_s[3] * noise / 0x7FFFFFFF
        if next_in <= next_out:
            now[0] = int((next_in + late) * 1e9)
            for frame in range(blocks[0]):
                for channel in range(pointers_in.size):
                    row = carray(as_pointer(pointers_in[channel]), (blocks[0],), np.float32)
                    row[frame] = _LEVEL * math.sin(phase)
                phase = (phase + step) % (2.0 * math.pi)
            _call_stream(callbacks[0], pointers_in.ctypes.data, 0, blocks[0], engine)
            next_in += blocks[0] / rates[0]
        else:
            now[0] = int((next_out + late) * 1e9)
            _call_stream(callbacks[1], 0, pointers_out.ctypes.data, blocks[1], engine)
            if next_out >= settled:
                stretch = max(1, min(blocks[1], int(0.01 * rates[1])))
                heard += blocks[1] // stretch
                silent += _silent_stretches(pointers_out[0], blocks[1], stretch)
            next_out += blocks[1] / rates[1]
    return heard, silent


class TwoClocks:
    """An engine between a simulated microphone and a simulated loudspeaker.

    Parameters
    ----------
    engine
        Made with an ``input_rate``, not started on any device.
    input_ppm, output_ppm
        How much faster than nominal the devices run.
    jitter_ms
        By how much callbacks come late at most, evenly spread.
    """

    def __init__(
        self, engine: Engine, input_block: int, input_ppm: float = 0.0, output_ppm: float = 0.0, jitter_ms: float = 0.0
    ) -> None:
        assert engine.clock_bridge is not None
        self._engine = engine
        self._blocks = np.array([input_block, engine.block], np.int64)
        speeds = 1.0 + np.array([input_ppm, output_ppm]) * 1e-6
        self._rates = np.array([engine.clock_bridge.rate_in_hz, engine.sample_rate]) * speeds
        self._jitter_s, self._elapsed_s = 1e-3 * jitter_ms, 0.0
        self._now: npt.NDArray[np.int64] = np.zeros(1, np.int64)
        self._clock = _simulated_clock(int(self._now.ctypes.data))
        engine.clock_bridge.use_clock(self._clock.address)
        engine.memory.cells[c.CLOCK] = self._clock.address
        cells = engine.memory.cells
        self._in = np.zeros((int(cells[c.INPUT_CHANNELS]), input_block), np.float32)
        self._out = np.zeros((int(cells[c.OUTPUT_CHANNELS]), engine.block), np.float32)

    def run(self, seconds: float, settle_s: float = 0.0) -> SimulatedRun:
        """Let time pass; blocks are counted after `settle_s`. May be called again to go on."""
        callbacks = np.array([self._engine.input_callback, self._engine.output_callback], np.int64)
        pointers = [np.array([row.ctypes.data for row in rows], np.int64) for rows in (self._in, self._out)]
        times_s = np.array([self._elapsed_s, seconds, settle_s, self._jitter_s])
        heard, silent = _run(
            callbacks, self._engine.address, pointers[0], pointers[1], self._blocks, self._rates, times_s, self._now
        )
        self._elapsed_s += seconds
        return SimulatedRun(int(heard), int(silent))


def _simulated_clock(now_address: int) -> Any:
    """Return a C function like `clock_gettime` that reads a number in memory."""

    @cfunc(types.int32(types.int32, types.intp))  # type: ignore[untyped-decorator]
    def read(_which: int, timespec: int) -> int:
        now_ns = carray(as_pointer(now_address), (1,), np.int64)[0]
        fields = carray(as_pointer(timespec), (2,), np.int64)
        fields[0] = now_ns // 1_000_000_000
        fields[1] = now_ns % 1_000_000_000
        return 0

    return read
