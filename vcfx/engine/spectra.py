"""Spectra of what goes in and out, for displays: computed on a thread of its own, and only while somebody looks."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from vcfx_dsp.ring import Ring

from . import cells as c
from .engine import Engine
from .tap import Tap

WINDOW_FRAMES = 2_048
LOWEST_HZ, HIGHEST_HZ = 50.0, 16_000.0
FLOOR_DB = -120.0
_INTERVAL_S = 0.04
_RING_S = 0.5
Levels = tuple[float, ...]


def band_edges_hz(bands: int) -> npt.NDArray[np.float64]:
    """Return the `bands` + 1 edges, evenly spaced in the logarithm of frequency."""
    edges_hz: npt.NDArray[np.float64] = np.geomspace(LOWEST_HZ, HIGHEST_HZ, bands + 1)
    return edges_hz


def band_levels_db(window: npt.NDArray[np.float32], sample_rate: int, bands: int) -> npt.NDArray[np.float64]:
    """Return the level of the strongest component in each band, dBFS: a sine of amplitude 1 is 0 dB.

    A Hann window is applied (components between two bins read up to 1.4 dB low). A band narrower than the bins' spacing
    has the magnitude interpolated at its centre; bands above half the sample rate are silent.
    """
    hann = np.hanning(window.size + 1)[:-1]
    magnitude = np.abs(np.fft.rfft(window * hann)) * (2.0 / hann.sum())
    frequency_hz = np.fft.rfftfreq(window.size, 1.0 / sample_rate)
    edges_hz = band_edges_hz(bands)
    centres_hz = np.sqrt(edges_hz[1:] * edges_hz[:-1])
    level = np.interp(centres_hz, frequency_hz, magnitude, right=0.0)
    first, last = np.searchsorted(frequency_hz, edges_hz[:-1]), np.searchsorted(frequency_hz, edges_hz[1:])
    for band in np.flatnonzero(last > first):
        level[band] = magnitude[first[band] : last[band]].max()
    levels_db: npt.NDArray[np.float64] = np.maximum(FLOOR_DB, 20.0 * np.log10(np.maximum(level, 1e-6)))
    return levels_db


class SpectrumMeter:
    """Keeps the spectra of the last 2048 samples before and after the voice. Thread: one that starts and stops it."""

    def __init__(self, engine: Engine, bands: int) -> None:
        self._sample_rate, self._bands = engine.sample_rate, bands
        self._tap = Tap(engine, c.ANALYSIS_TAP, "both", _RING_S)
        self._windows = {side: np.zeros(WINDOW_FRAMES, np.float32) for side in self._tap.rings}
        self._levels: dict[str, Levels] = {side: (FLOOR_DB,) * bands for side in self._tap.rings}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vcfx-spectra", daemon=True)
        self._tap.attach()
        self._thread.start()

    @property
    def input_db(self) -> Levels:
        """Levels of the bands of what goes in, dBFS."""
        return self._levels["dry"]

    @property
    def output_db(self) -> Levels:
        """Levels of the bands of what comes out, dBFS."""
        return self._levels["wet"]

    def close(self) -> None:
        """Listen no more."""
        self._stop.set()
        self._thread.join(2.0)
        self._tap.detach()

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL_S):
            self._levels = {side: self._measure(side, ring) for side, ring in self._tap.rings.items()}

    def _measure(self, side: str, ring: Ring) -> Levels:
        heard = ring.read(ring.fill)[0]
        self._windows[side] = np.concatenate([self._windows[side], heard])[-WINDOW_FRAMES:]
        levels = band_levels_db(self._windows[side], self._sample_rate, self._bands)
        return tuple(round(float(level), 1) for level in levels)
