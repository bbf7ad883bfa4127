"""The de-esser from the equations: both filters solved sample by sample with the implicit trapezoidal rule."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
ROOT2 = np.sqrt(2)


class TrapezoidalFilter:
    """v1' = w (x - sqrt(2) v1 - v2), v2' = w v1; all three outputs of the state-variable filter."""

    def __init__(self) -> None:
        self.before = np.zeros(2)  # v + (T/2) v' at the former sample

    def step(self, x: float, g: float) -> tuple[float, float, float]:
        system = np.array([[1 + g * ROOT2, g], [-g, 1.0]])
        v1, v2 = np.linalg.solve(system, self.before + np.array([g * x, 0.0]))
        highpass = x - ROOT2 * v1 - v2
        self.before = np.array([v1 + g * highpass, v2 + g * v1])
        return highpass, v1, v2


def deessed(signal: npt.ArrayLike, parameters: Mapping[str, float], sample_rate: int) -> Array:
    x = np.asarray(signal, np.float64)
    g = np.tan(np.pi * min(parameters["frequency_hz"] / sample_rate, 0.49))
    power_decay, attack, release = (np.exp(-1 / (ms * 1e-3 * sample_rate)) for ms in (5.0, 1.0, 40.0))
    detectors, shelves = ([TrapezoidalFilter() for _ in x] for _ in range(2))
    high_power = low_power = reduction_db = 0.0
    out = np.empty_like(x)
    for frame in range(x.shape[1]):
        split = [detector.step(sample, g) for detector, sample in zip(detectors, x[:, frame], strict=True)]
        loudest_high = max(highpass**2 for highpass, _, _ in split)
        loudest_low = max(lowpass**2 for _, _, lowpass in split)
        high_power = power_decay * high_power + (1 - power_decay) * loudest_high
        low_power = power_decay * low_power + (1 - power_decay) * loudest_low
        over_db = 10 * np.log10(max(high_power, 1e-30) / max(0.1 * low_power, 10 ** (parameters["threshold_db"] / 10)))
        wanted_db = float(np.clip((1 - 1 / parameters["ratio"]) * over_db, 0, parameters["max_reduction_db"]))
        pole = attack if wanted_db > reduction_db else release
        reduction_db = pole * reduction_db + (1 - pole) * wanted_db
        amplitude = 10 ** (-reduction_db / 40)
        for channel, shelf in enumerate(shelves):
            highpass, v1, v2 = shelf.step(x[channel, frame], g * np.sqrt(amplitude))
            out[channel, frame] = amplitude**2 * highpass + amplitude * ROOT2 * v1 + v2
    return out
