"""Find clicks in what comes out: the largest sample above the frequencies that the programme reaches."""

from __future__ import annotations

import math
import threading

import numpy as np
import numpy.typing as npt

from vcfx.engine import cells as c
from vcfx.engine.engine import Engine
from vcfx.engine.tap import Tap

CUTOFF_HZ = 10_000.0
_TAPS = 255
_RING_S = 20.0
_READ_S = 0.25


def high_pass(sample_rate: int) -> npt.NDArray[np.float64]:
    """Return a linear-phase filter: a Blackman-windowed sinc, 70 dB down below 9.3 kHz at 48 kHz, 1 above 10.7 kHz."""
    at = np.arange(_TAPS) - _TAPS // 2
    low = 2.0 * CUTOFF_HZ / sample_rate * np.sinc(2.0 * CUTOFF_HZ / sample_rate * at) * np.blackman(_TAPS)
    passing: npt.NDArray[np.float64] = -low / low.sum()
    passing[_TAPS // 2] += 1.0
    return passing


class ClickMeter:
    """Listens to an engine's output from `reset` on; its thread is neither the audio's nor control's."""

    def __init__(self, engine: Engine) -> None:
        self._filter = high_pass(engine.sample_rate)
        self._tap = Tap(engine, c.ANALYSIS_TAP, "wet", _RING_S)
        self._held: npt.NDArray[np.float32] = np.zeros(0, np.float32)
        self._peak = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vcfx-clicks", daemon=True)
        self._tap.attach()
        self._thread.start()

    @property
    def lost_frames(self) -> int:
        """Frames that were not looked at."""
        return self._tap.lost_frames

    def take_db(self) -> float:
        """Return the largest sample above `CUTOFF_HZ` so far, dBFS, and start anew."""
        self._look()
        peak, self._peak = self._peak, 0.0
        return 20.0 * math.log10(max(peak, 1e-7))

    def close(self) -> None:
        """Listen no more."""
        self._stop.set()
        self._thread.join(5.0)
        self._tap.detach()

    def _run(self) -> None:
        while not self._stop.wait(_READ_S):
            self._look()

    def _look(self) -> None:
        with self._lock:
            ring = self._tap.rings["wet"]
            sound = np.concatenate([self._held, ring.read(ring.fill)[0]])
            if sound.size >= _TAPS:
                self._peak = max(self._peak, float(np.abs(np.convolve(sound, self._filter, "valid")).max()))
            self._held = sound[-(_TAPS - 1) :]
