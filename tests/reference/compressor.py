"""Giannoulis, Massberg, Reiss 2012: gain computer (eq. 4) and smooth decoupled peak detector (eq. 17)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def static_output_db(level_db: npt.ArrayLike, threshold_db: float, ratio: float, knee_db: float) -> Array:
    x = np.asarray(level_db, np.float64)
    above = threshold_db + (x - threshold_db) / ratio
    if knee_db == 0:
        return np.where(x > threshold_db, above, x)
    bend = x + (1 / ratio - 1) * (x - threshold_db + knee_db / 2) ** 2 / (2 * knee_db)
    return np.where(x - threshold_db < -knee_db / 2, x, np.where(x - threshold_db > knee_db / 2, above, bend))


def compressed(signal: npt.ArrayLike, parameters: Mapping[str, float], sample_rate: int) -> Array:
    x = np.asarray(signal, np.float64)
    level_db = 20 * np.log10(np.maximum(np.abs(x).max(axis=0), 1e-7))
    static_db = static_output_db(level_db, parameters["threshold_db"], parameters["ratio"], parameters["knee_db"])
    attack = np.exp(-1 / (parameters["attack_ms"] * 1e-3 * sample_rate))
    release = np.exp(-1 / (parameters["release_ms"] * 1e-3 * sample_rate))
    y1 = yl = 0.0
    reduction_db = np.empty_like(level_db)
    for frame, wanted in enumerate(level_db - static_db):
        y1 = max(wanted, release * y1 + (1 - release) * wanted)
        yl = attack * yl + (1 - attack) * y1
        reduction_db[frame] = yl
    wet = x * 10 ** ((parameters["makeup_db"] - reduction_db) / 20)
    return np.asarray((1 - parameters["mix_ratio"]) * x + parameters["mix_ratio"] * wet)
