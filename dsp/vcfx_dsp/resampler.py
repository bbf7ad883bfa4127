"""Sample-rate conversion between two whole-numbered rates, in blocks or of a whole signal."""

from __future__ import annotations

import math

import numpy as np

from .core.polyphase import AHEAD, run_resample
from .core.sinc import Sinc, cubic_rows, design_sinc, phase_rows, piece_count, quality_named
from .errors import ParameterError
from .limits import MAX_BLOCK_FRAMES, check_block, check_channels, check_count, check_rate
from .node import Block
from .state import State

#: Above this many floats (2 MiB) a table with one row per phase gives way to cubic pieces.
MAX_EXACT_TABLE = 1 << 19


class Resampler:
    """Convert a stream from one sample rate to another with a windowed sinc.

    Output frame n is the input at time ``(n - delay_frames) * rate_in_hz / rate_out_hz`` exactly; the delay is a whole
    number of output frames. Equal rates copy, with delay 0.

    Parameters
    ----------
    rate_in_hz, rate_out_hz
        Whole numbers from 8000 to 192000; any ratio.
    channels
        1 to 32.
    max_frames
        The longest block that `process` will see.
    quality
        ``"standard"``: flat to 0.9 of the lower Nyquist frequency, aliases and images below -100 dB, 68 frames of the
        lower rate of delay. ``"high"``: 0.95, -120 dB, 164 frames. ``"fast"``: 0.8, aliases and images from up to
        0.8 below -90 dB, 16 frames.
    """

    def __init__(
        self, rate_in_hz: int, rate_out_hz: int, channels: int, max_frames: int, quality: str = "standard"
    ) -> None:
        self.rate_in_hz = check_rate("rate_in_hz", rate_in_hz)
        self.rate_out_hz = check_rate("rate_out_hz", rate_out_hz)
        self.channels = check_channels(channels)
        self.max_frames = check_count("max_frames", max_frames, MAX_BLOCK_FRAMES)
        self._sinc = design_sinc(self.rate_in_hz, self.rate_out_hz, quality_named(quality))
        common = math.gcd(self.rate_in_hz, self.rate_out_hz)
        self._up, self._down = self.rate_out_hz // common, self.rate_in_hz // common
        self._state = self._initial_state()
        self._out = np.zeros(self.channels * self.max_out_frames, np.float32)
        run_resample(self.address, self._out.ctypes.data, self._out.ctypes.data, 0)

    @property
    def sinc(self) -> Sinc:
        """The filter."""
        return self._sinc

    @property
    def address(self) -> int:
        """First argument of `core.polyphase.resample`, for calls from compiled code."""
        return self._state.address

    @property
    def delay_frames(self) -> int:
        """Delay in output frames, exact."""
        if self._up == self._down:
            return 0
        return -(-self._sinc.half_width * self._up // self._down)

    @property
    def delay_s(self) -> float:
        """Delay in seconds."""
        return self.delay_frames / self.rate_out_hz

    @property
    def max_out_frames(self) -> int:
        """The most output frames that one call of `process` gives."""
        return -(-self.max_frames * self._up // self._down) + 1

    def _initial_state(self) -> State:
        half_width = 0 if self._up == self._down else self._sinc.half_width
        exact = self._up * self._sinc.taps <= MAX_EXACT_TABLE
        pieces = 0 if exact else piece_count(self._sinc)
        rows = phase_rows(self._sinc, self._up) if exact else cubic_rows(self._sinc, pieces)
        history = 2 * half_width + self._down // self._up + 2
        stride = history + self.max_frames
        counters = (self._up, self._down, half_width, pieces, self.channels, history, stride, 0, self.delay_frames)
        self._memory_at = rows.size
        work = np.zeros(2 * half_width + self.channels * stride, np.float32)
        return State((), [*counters, rows.size], (), np.concatenate([rows.ravel(), work]))

    def process(self, block_in: Block, block_out: Block | None = None) -> Block:
        """Convert a block of 0 to `max_frames` frames.

        Parameters
        ----------
        block_in
            float32 (channels, frames), C-contiguous.
        block_out
            Where to write; float32, C-contiguous, with room for ``channels * max_out_frames`` values. By default an
            own buffer that the next call overwrites.

        Returns
        -------
        Block
            (channels, count), a view of the buffer that was written. Thread: any, one at a time.
        """
        frames = check_block(block_in, self.channels, self.max_frames)
        flat = self._out if block_out is None else self._room(block_out)
        count = run_resample(self.address, block_in.ctypes.data, flat.ctypes.data, frames)
        return flat[: self.channels * count].reshape(self.channels, count)

    def _room(self, block_out: Block) -> Block:
        wanted = self._out.size
        if block_out.size < wanted or block_out.dtype != np.float32 or not block_out.flags.c_contiguous:
            raise ParameterError(
                f"block_out is {block_out.dtype} {block_out.shape}; it needs {wanted} float32 in a row"
            )
        return block_out.reshape(-1)

    def flush(self) -> Block:
        """Return the last `delay_frames` output frames, as if silence followed; call `reset` before more input."""
        silence = np.zeros((self.channels, self.max_frames), np.float32)
        parts = [np.zeros((self.channels, 0), np.float32)]
        while sum(part.shape[1] for part in parts) < self.delay_frames:
            parts.append(self.process(silence).copy())
        return np.ascontiguousarray(np.concatenate(parts, axis=1)[:, : self.delay_frames])

    def reset(self) -> None:
        """Forget all signal history."""
        self._state.counters[AHEAD] = 0
        self._state.samples[self._memory_at :] = 0.0


def resample_signal(signal: Block, rate_in_hz: int, rate_out_hz: int, quality: str = "high") -> Block:
    """Convert a whole signal without delay.

    Parameters
    ----------
    signal
        float32 (channels, frames).
    rate_in_hz, rate_out_hz, quality
        As for `Resampler`.

    Returns
    -------
    Block
        (channels, ceil(frames * rate_out_hz / rate_in_hz)); frame n is the input at ``n * rate_in_hz / rate_out_hz``.
    """
    channels, frames = signal.shape
    block = 1 << 14
    resampler = Resampler(rate_in_hz, rate_out_hz, channels, block, quality)
    starts = range(0, frames, block)
    parts = [resampler.process(np.ascontiguousarray(signal[:, at : at + block], np.float32)).copy() for at in starts]
    parts.append(resampler.flush())
    return np.ascontiguousarray(np.concatenate(parts, axis=1)[:, resampler.delay_frames :])
