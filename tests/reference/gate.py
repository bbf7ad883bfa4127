"""A gate told by its definitions, one sample after the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def gate(signal: npt.ArrayLike, parameters: Mapping[str, float], sample_rate: int) -> Array:
    """Signal is (channels, frames); the gate starts closed."""
    x = np.asarray(signal, np.float64)
    frames_of = {name: round(parameters[name] * sample_rate / 1000) for name in parameters if name.endswith("_ms")}
    delay, hold = frames_of["lookahead_ms"], frames_of["hold_ms"]
    rise_db = parameters["range_db"] / frames_of["attack_ms"]
    fall_db = parameters["range_db"] / frames_of["release_ms"]
    level_db = 20 * np.log10(np.abs(x).max(axis=0) + 1e-30)
    gain_db = np.empty(x.shape[1])
    present_db, is_open, last_loud = -parameters["range_db"], False, -(10**9)
    for frame, loudness in enumerate(level_db):
        if loudness >= parameters["threshold_db"] - (parameters["hysteresis_db"] if is_open else 0):
            last_loud = frame
        is_open = frame <= last_loud + delay + hold
        present_db += rise_db if is_open else -fall_db
        present_db = min(max(present_db, -parameters["range_db"]), 0.0)
        gain_db[frame] = present_db
    delayed = np.concatenate([np.zeros((x.shape[0], delay)), x], axis=1)[:, : x.shape[1]]
    return np.asarray(delayed * 10 ** (gain_db / 20))
