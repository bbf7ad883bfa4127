"""Spectra are computed while somebody wants them, and only then."""

from __future__ import annotations

import threading

from vcfx.engine.engine import Engine
from vcfx.engine.spectra import SpectrumMeter


class SpectraWish:
    """Counts who wants spectra. Thread: any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0
        self._meter: SpectrumMeter | None = None

    def count(self, wanted: bool, engine: Engine, bands: int) -> None:
        """Note one more or one fewer."""
        with self._lock:
            self._wanted = max(0, self._wanted + (1 if wanted else -1))
            if self._wanted and self._meter is None:
                self._meter = SpectrumMeter(engine, bands)
            elif not self._wanted:
                self._end()

    def use_engine(self, engine: Engine, bands: int) -> None:
        """Listen to another engine from now on."""
        with self._lock:
            self._end()
            if self._wanted:
                self._meter = SpectrumMeter(engine, bands)

    def levels(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the bands before and after, or nothing."""
        meter = self._meter
        return (meter.input_db, meter.output_db) if meter else ((), ())

    def close(self) -> None:
        """Listen no more."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._meter is not None:
            self._meter.close()
            self._meter = None
