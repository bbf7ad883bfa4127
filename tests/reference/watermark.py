"""The mark over a whole signal, from its definition: scipy's filters, one band and one slot at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

Signal = npt.NDArray[np.float64]
SLOT_S, TRANSITION_S = 0.02, 0.01


def bands_hz() -> list[tuple[float, float]]:
    """Centre and width of each band."""
    found = []
    centre = 230.0
    for _ in range(24):
        width = 0.036 * centre + 85.0
        found.append((centre, width))
        centre += width
    return found


def share(centre_hz: float) -> float:
    """Low bands move less, high ones more."""
    return 0.7 if centre_hz < 900 else 1.1 if centre_hz < 1_800 else 1.5


def band_pass(signal: Signal, centre_hz: float, width_hz: float, rate_hz: int) -> Signal:
    omega = 2 * np.pi * centre_hz / rate_hz
    alpha = np.sin(omega) / (2 * centre_hz / width_hz)
    return np.asarray(lfilter([alpha, 0, -alpha], [1 + alpha, -2 * np.cos(omega), 1 - alpha], signal), np.float64)


def gain_course(tiles: Signal, frames: int, rate_hz: int) -> Signal:
    """One band's course from tile to tile, beginning at 0: smooth for 10 ms, then at rest."""
    slot, transition = round(SLOT_S * rate_hz), round(TRANSITION_S * rate_hz)
    course = np.empty(frames)
    last = 0.0
    for start in range(0, frames, slot):
        tile = tiles[start // slot % len(tiles)]
        for frame in range(start, min(start + slot, frames)):
            part = min((frame - start) / transition, 1.0)
            course[frame] = last + (tile - last) * (3 * part**2 - 2 * part**3)
        last = tile
    return course


def watermark(signal: Signal, tiles: Signal, strength_db: float, rate_hz: int) -> Signal:
    """Mark one channel with a frame of +-1, (slots, bands)."""
    out = signal.astype(np.float64)
    for band, (centre_hz, width_hz) in enumerate(bands_hz()):
        course = gain_course(tiles[:, band], signal.size, rate_hz)
        depth = share(centre_hz) * (10 ** (strength_db / 20) - 1)
        out = out + depth * course * band_pass(signal, centre_hz, width_hz, rate_hz)
    return out
