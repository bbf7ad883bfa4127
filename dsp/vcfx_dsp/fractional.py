"""Sample-rate conversion by a ratio that may change from call to call."""

from __future__ import annotations

import math

import numpy as np

from .core.fractional import FILLED, FRACTION, ONE_FRAME, run_fractional, run_fractional_needed
from .core.sinc import Sinc, cubic_rows, design_sinc, piece_count, quality_named
from .errors import ParameterError
from .limits import MAX_BLOCK_FRAMES, check_block, check_channels, check_count, check_rate
from .node import Block
from .state import State

#: How far a ratio may be steered from its nominal value.
MAX_STEERING = 0.01


class FractionalResampler:
    """Convert with a windowed sinc and a ratio that may be steered while the phase stays continuous.

    The caller asks how many input frames the next output frames need, and hands over exactly so many. Output frame 0
    is the input at time 0; each next one is ``(1 + correction) * rate_in_hz / rate_out_hz`` input frames later. The
    filter looks `lookahead_frames` ahead, and that is its delay.

    Parameters
    ----------
    rate_in_hz, rate_out_hz
        Nominal rates, whole numbers from 8000 to 192000.
    channels
        1 to 32.
    max_out_frames
        The longest block that `process` will be asked for.
    quality
        As for `resampler.Resampler`.
    """

    def __init__(
        self, rate_in_hz: int, rate_out_hz: int, channels: int, max_out_frames: int, quality: str = "standard"
    ) -> None:
        self.rate_in_hz = check_rate("rate_in_hz", rate_in_hz)
        self.rate_out_hz = check_rate("rate_out_hz", rate_out_hz)
        self.channels = check_channels(channels)
        self.max_out_frames = check_count("max_out_frames", max_out_frames, MAX_BLOCK_FRAMES)
        self._sinc = design_sinc(self.rate_in_hz, self.rate_out_hz, quality_named(quality))
        rows = cubic_rows(self._sinc, piece_count(self._sinc))
        self._memory_at = rows.size
        stride = self._sinc.taps + self.max_in_frames + 2
        work = np.zeros(self._sinc.taps + self.channels * stride, np.float32)
        counters = (self._sinc.taps, rows.shape[0], self.channels, stride, 0, 0, rows.size)
        self._state = State((), counters, (), np.concatenate([rows.ravel(), work]))
        self._out = np.zeros(self.channels * self.max_out_frames, np.float32)
        run_fractional(self.address, 0, 0, self._out.ctypes.data, 0, self.step(0.0))
        self.reset()

    @property
    def sinc(self) -> Sinc:
        """The filter."""
        return self._sinc

    @property
    def address(self) -> int:
        """First argument of the functions of `core.fractional`."""
        return self._state.address

    @property
    def lookahead_frames(self) -> int:
        """Input frames that must have come in after the time of an output frame."""
        return self._sinc.half_width

    @property
    def max_in_frames(self) -> int:
        """The most input frames that one call can need."""
        steered = self.max_out_frames * (1.0 + MAX_STEERING) * self.rate_in_hz / self.rate_out_hz
        return math.ceil(steered) + self._sinc.taps

    def step(self, correction: float) -> int:
        """Return the input frames per output frame in 2^-40, for a relative correction of -0.01 to 0.01."""
        if not abs(correction) <= MAX_STEERING:
            raise ParameterError(f"correction is {correction}; allowed: {-MAX_STEERING} to {MAX_STEERING}")
        return round((1.0 + correction) * self.rate_in_hz / self.rate_out_hz * ONE_FRAME)

    def needed(self, frames_out: int, correction: float = 0.0) -> int:
        """Return how many input frames `process` must be given for `frames_out` output frames."""
        return int(run_fractional_needed(self.address, frames_out, self.step(correction)))

    def process(self, block_in: Block, frames_out: int, correction: float = 0.0) -> Block:
        """Produce `frames_out` frames from a block of `needed` frames.

        Parameters
        ----------
        block_in
            float32 (channels, needed), C-contiguous.
        frames_out
            0 to `max_out_frames`.
        correction
            Relative change of the nominal ratio, -0.01 to 0.01; above 0 reads the input faster.

        Returns
        -------
        Block
            (channels, frames_out), a view that the next call overwrites. Thread: any, one at a time.
        """
        step = self.step(correction)
        frames_in = check_block(block_in, self.channels, self.max_in_frames)
        if not 0 <= frames_out <= self.max_out_frames:
            raise ParameterError(f"frames_out is {frames_out}; allowed: 0 to {self.max_out_frames}")
        if frames_in != run_fractional_needed(self.address, frames_out, step):
            raise ParameterError(f"block_in has {frames_in} frames; needed({frames_out}) says how many it must have")
        run_fractional(self.address, block_in.ctypes.data, frames_in, self._out.ctypes.data, frames_out, step)
        return self._out[: self.channels * frames_out].reshape(self.channels, frames_out)

    def reset(self) -> None:
        """Forget all signal history; the input is silent before time 0."""
        self._state.samples[self._memory_at :] = 0.0
        self._state.counters[FILLED] = self._sinc.half_width - 1
        self._state.counters[FRACTION] = 0
