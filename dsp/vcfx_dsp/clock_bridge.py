"""The joint between an input device and an output device that run on two clocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .core.bridge_input import (
    CLOCK,
    OVERFLOWS,
    REFUSED_FRAMES,
    SHARED_SIZE,
    run_bridge_push_at,
    run_clock_ns,
)
from .core.bridge_reading import (
    DROPPED_FRAMES,
    DROPS,
    FILL,
    LEAST_TARGET,
    MARGIN,
    MODE,
    PULL_MEMORY_SIZE,
    RATE_IN,
    RATE_OUT,
    RUNNING,
    STEERING,
    TARGET,
    UNDERRUNS,
)
from .core.drift import FADE_MS, run_bridge_pull_at
from .core.line import READER_SIDE, WRITER_SIDE, line_memory
from .core.native import CLOCK_ADDRESS
from .core.steering import CORRECTION, INTEGRAL, steering_memory
from .errors import ParameterError
from .fractional import FractionalResampler
from .limits import check_block, check_channels, check_count, check_rate
from .node import Block
from .ring import Ring
from .state import State

MAX_CALLBACK_FRAMES = 1 << 16
CAPACITY_S = 3.0
MAX_CORRECTION_PPM = 1000.0
_BLOCKS_HELD = 16


@dataclass(frozen=True, slots=True)
class BridgeStats:
    """What a bridge has seen and does now.

    Parameters
    ----------
    running
        Whether audio flows; otherwise the output is silent or fading.
    latency_ms
        Delay that the bridge adds now, against an input and an output that share one callback; 0 while silent.
    target_ms
        The latency that it steers for.
    drift_ppm
        How much faster than nominal the input's clock runs, as seen by the output's.
    correction_ppm
        Present change of the reading speed.
    underruns, overflows
        Times that the ring ran empty, or full.
    drops, dropped_frames
        Jumps to the target fill, and the input frames left out by them and by overflows.
    """

    running: bool
    latency_ms: float
    target_ms: float
    drift_ppm: float
    correction_ppm: float
    underruns: int
    overflows: int
    drops: int
    dropped_frames: int


class ClockBridge:
    """Carry audio from one device's callback to another's while their clocks drift apart.

    Compiled code calls ``core.bridge_input.bridge_push(address, block_in, frames)`` in the input's callback and
    ``core.drift.bridge_pull(address, block_out, frames)`` in the output's. Neither allocates, locks, waits or raises.

    Both sides time their callbacks and fit a line through them, so the fill is known without the sawtooth that the
    blocks make; a controller keeps it at the target. The target is the sum of both block halves, both observed jitters
    and the filter's look-ahead, plus a margin; it grows as soon as jitter is seen and shrinks over half an hour.

    Parameters
    ----------
    rate_in_hz, rate_out_hz
        Nominal rates, whole numbers from 8000 to 192000.
    channels
        1 to 32, on both sides.
    max_in_frames, max_out_frames
        The longest blocks of the callbacks, 1 to 65536.
    target_ms
        Latency never to go below, 0 to 500; 0 lets the bridge choose.
    margin_ms
        What the target has beyond what was observed, 0 to 100.
    max_correction_ppm
        1 to 2000.
    quality
        Of the filter, as for `resampler.Resampler`.
    """

    def __init__(
        self,
        rate_in_hz: int,
        rate_out_hz: int,
        channels: int,
        max_in_frames: int,
        max_out_frames: int,
        target_ms: float = 0.0,
        margin_ms: float = 0.5,
        max_correction_ppm: float = MAX_CORRECTION_PPM,
        quality: str = "fast",
    ) -> None:
        self.rate_in_hz = check_rate("rate_in_hz", rate_in_hz)
        self.rate_out_hz = check_rate("rate_out_hz", rate_out_hz)
        self.channels = check_channels(channels)
        self.max_in_frames = check_count("max_in_frames", max_in_frames, MAX_CALLBACK_FRAMES)
        self.max_out_frames = check_count("max_out_frames", max_out_frames, MAX_CALLBACK_FRAMES)
        self._target_ms = _within("target_ms", target_ms, 0.0, 500.0)
        self._margin_ms = _within("margin_ms", margin_ms, 0.0, 100.0)
        self._max_correction = 1e-6 * _within("max_correction_ppm", max_correction_ppm, 1.0, 2000.0)
        self._fade_frames = round(FADE_MS * 1e-3 * self.rate_out_hz)
        longest = max(self.max_out_frames, self._fade_frames)
        self._resampler = FractionalResampler(rate_in_hz, rate_out_hz, channels, longest, quality)
        blocks = self.max_in_frames + self._resampler.max_in_frames
        self._ring = Ring(channels, max(round(CAPACITY_S * rate_in_hz), _BLOCKS_HELD * blocks))
        self._push_state, self._pull_state = self._initial_push_state(), self._initial_pull_state()
        self._shared = np.zeros(SHARED_SIZE, np.int64)
        parts = (self._ring, self._resampler, self._push_state, self._pull_state)
        self._table = np.array([*(part.address for part in parts), self._shared.ctypes.data, CLOCK_ADDRESS], np.int64)
        self._warm_up()

    def _initial_push_state(self) -> State:
        return State((), (0, 0), line_memory(self.rate_in_hz, WRITER_SIDE))

    def _initial_pull_state(self) -> State:
        memory = np.zeros(PULL_MEMORY_SIZE)
        lines = [*line_memory(self.rate_out_hz, READER_SIDE), *steering_memory(self._max_correction)]
        memory[: len(lines)] = lines
        memory[[RATE_IN, RATE_OUT]] = self.rate_in_hz, self.rate_out_hz
        memory[[MARGIN, LEAST_TARGET]] = np.array([self._margin_ms, self._target_ms]) * 1e-3 * self.rate_in_hz
        counters = (0, 0, self._resampler.step(0.0), 0, 0, 0, 0, 0, 0, self.channels, self._fade_frames)
        return State((), counters, memory, np.zeros(self.channels * self._fade_frames))

    def _warm_up(self) -> None:
        block = np.zeros((self.channels, 1), np.float32)
        self.push(block)
        self.pull(block)
        self.reset()

    @property
    def address(self) -> int:
        """First argument of `bridge_push` and `bridge_pull`."""
        return int(self._table.ctypes.data)

    @property
    def stats(self) -> BridgeStats:
        """What the bridge has seen and does now; reading disturbs nothing. Thread: any."""
        counters, memory = self._pull_state.counters, self._pull_state.memory
        pushed = self._push_state.counters
        to_ms = 1e3 / self.rate_in_hz
        running = bool(counters[MODE] == RUNNING)
        return BridgeStats(
            running=running,
            latency_ms=float(memory[FILL]) * to_ms if running else 0.0,
            target_ms=float(memory[TARGET]) * to_ms,
            drift_ppm=float(memory[STEERING + INTEGRAL]) * 1e6,
            correction_ppm=float(memory[STEERING + CORRECTION]) * 1e6,
            underruns=int(counters[UNDERRUNS]),
            overflows=int(pushed[OVERFLOWS]),
            drops=int(counters[DROPS]),
            dropped_frames=int(counters[DROPPED_FRAMES] + pushed[REFUSED_FRAMES]),
        )

    def push(self, block: Block, now_ns: int | None = None) -> None:
        """Hand over float32 (channels, frames) from the input, by default at the present time. Thread: input."""
        frames = check_block(block, self.channels, self.max_in_frames)
        at_ns = run_clock_ns(int(self._table[CLOCK])) if now_ns is None else now_ns
        run_bridge_push_at(self.address, block.ctypes.data, frames, at_ns)

    def pull(self, block_out: Block, now_ns: int | None = None) -> None:
        """Fill float32 (channels, frames) for the output, by default at the present time. Thread: output."""
        frames = check_block(block_out, self.channels, self.max_out_frames)
        at_ns = run_clock_ns(int(self._table[CLOCK])) if now_ns is None else now_ns
        run_bridge_pull_at(self.address, block_out.ctypes.data, frames, at_ns)

    def use_clock(self, address: int) -> None:
        """Read the time from another C function like ``clock_gettime``: simulated time. Thread: control, at rest."""
        self._table[CLOCK] = address

    def reset(self) -> None:
        """Go back to the state before the first callback, while none runs; addresses stay. Thread: control."""
        self._ring.reset()
        self._resampler.reset()
        self._push_state.copy_from(self._initial_push_state())
        self._pull_state.copy_from(self._initial_pull_state())
        self._shared[:] = 0


def _within(name: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ParameterError(f"{name} is {value}; allowed: {low} to {high}")
    return float(value)
