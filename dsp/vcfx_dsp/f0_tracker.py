"""The fundamental frequency of a voice, while it is being spoken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .core.f0 import (
    HISTORY,
    WINDOW_S,
    f0_push,
    f0_state,
    filter_delay_samples,
    hop_samples,
    traced_period,
    traced_strength,
)
from .core.kernel import compiled_entry
from .errors import ParameterError
from .node import MAX_RATE_HZ, MIN_RATE_HZ

LOWEST_HZ, HIGHEST_HZ = 50.0, 800.0
#: Mean of the distances between the newest sample and the middle of what a frame of 60 to 300 Hz compares.
TYPICAL_PERIOD_S = 0.007


@dataclass(frozen=True, slots=True)
class F0Frames:
    """Consecutive frames.

    Parameters
    ----------
    f0_hz
        float64; 0 where the frame is unvoiced.
    voicing
        float64, 0 to 1: how periodic the frame is, whatever the decision.
    """

    f0_hz: npt.NDArray[np.float64]
    voicing: npt.NDArray[np.float64]


@compiled_entry
def _track(
    counters: Any, memory: Any, signal: Any, lookahead: int, sample_rate: float, f0_hz: Any, voicing: Any
) -> int:
    frames = 0
    for index in range(signal.shape[0]):
        if f0_push(counters, memory, signal[index]):
            period = traced_period(counters, memory, lookahead)
            f0_hz[frames] = sample_rate / period if period > 0.0 else 0.0
            voicing[frames] = min(max(traced_strength(counters, memory, lookahead), 0.0), 1.0)
            frames += 1
    return frames


class F0Tracker:
    """Streaming F0 with a voicing probability, one frame every 5 ms; the same frames however the signal is cut.

    Parameters
    ----------
    sample_rate
        Hz, 8000 to 192000.
    lowest_hz, highest_hz
        Range of the voice, within 50 to 800 Hz.
    lookahead_hops
        0 to 7: how many later frames may correct a frame. Each adds a hop to the delay and removes some errors.

    Notes
    -----
    Delay: a frame given out after n samples describes the voice around n - `delay_samples`.
    """

    def __init__(
        self, sample_rate: int, lowest_hz: float = 55.0, highest_hz: float = 600.0, lookahead_hops: int = 1
    ) -> None:
        if not MIN_RATE_HZ <= sample_rate <= MAX_RATE_HZ:
            raise ParameterError(f"sample_rate is {sample_rate}; allowed: {MIN_RATE_HZ} to {MAX_RATE_HZ}")
        if not LOWEST_HZ <= lowest_hz < highest_hz <= HIGHEST_HZ:
            raise ParameterError(
                f"F0 range is {lowest_hz:g} to {highest_hz:g} Hz; allowed: {LOWEST_HZ:g} to {HIGHEST_HZ:g}, rising"
            )
        if not 0 <= lookahead_hops < HISTORY:
            raise ParameterError(f"lookahead_hops is {lookahead_hops}; allowed: 0 to {HISTORY - 1}")
        self._sample_rate = sample_rate
        self._lookahead = lookahead_hops
        self._range = (lowest_hz, highest_hz)
        self._state = f0_state(sample_rate, *self._range)

    @property
    def hop_samples(self) -> int:
        """Input samples from one frame to the next, close to 5 ms."""
        return hop_samples(self._sample_rate)

    @property
    def delay_samples(self) -> int:
        """How far the newest sample is ahead of the voice that a new frame describes, for a middling voice."""
        window = round(self._sample_rate * 0.5 * (WINDOW_S + TYPICAL_PERIOD_S))
        return window + filter_delay_samples(self._sample_rate) + self._lookahead * self.hop_samples

    def reset(self) -> None:
        """Forget the signal. Thread: the one that calls `track`."""
        self._state.copy_from(f0_state(self._sample_rate, *self._range))

    def track(self, signal: npt.NDArray[np.floating]) -> F0Frames:
        """Take more of a mono signal, shape (frames,), and return the frames that it completed. Thread: any, one."""
        mono = np.ascontiguousarray(signal, np.float64)
        if mono.ndim != 1:
            raise ParameterError(f"the signal has {mono.ndim} dimensions; allowed: 1 (mono)")
        room = mono.size // self.hop_samples + 1
        f0_hz, voicing = np.empty(room), np.empty(room)
        count = _track(
            self._state.counters, self._state.memory, mono, self._lookahead, float(self._sample_rate), f0_hz, voicing
        )
        return F0Frames(f0_hz[:count].copy(), voicing[:count].copy())
