"""The estimator: a small trained network that tells, from the levels around a place, whether the mark raised it.

Three convolutions over time and bands. It knows what speech does by itself, and how sure it can be where noise or a
room covers the voice: its output is the larger the surer. Trained on speech with random patterns, so it knows no key.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt

from .levels import Levels

WEIGHTS_FILE: Final = "estimator.npz"
LEVEL_SCALE: Final = 0.25
FRAMES_AT_ONCE: Final = 1_000
#: For each layer: distance in frames between the rows of its kernel.
DILATIONS: Final = (1, 4, 6)
#: Frames on either side that the layers reach.
REACH: Final = 28
#: A band's floor, noise or a room's last echoes: the lowest mean of 25 ms within 0.6 s on either side.
FLOOR_MEAN_FRAMES: Final = 5
FLOOR_REACH: Final = 120
Array = npt.NDArray[np.float32]


def estimate(levels: Levels) -> Levels:
    """Return, for each frame and band, the evidence that the mark raised it (above 0) or lowered it."""
    frames = len(levels)
    out = np.empty_like(levels)
    if not frames:
        return out
    padded = np.pad(inputs(levels), ((REACH, REACH), (0, 0), (0, 0)), mode="edge")
    for begin in range(0, frames, FRAMES_AT_ONCE):
        end = min(begin + FRAMES_AT_ONCE, frames)
        out[begin:end] = _network(padded[begin : end + 2 * REACH])
    return out


def inputs(levels: Levels) -> Array:
    """Return what the network sees, (frames, bands, 3): level, level above the band's floor, place of the band."""
    places = np.broadcast_to(np.linspace(-1.0, 1.0, levels.shape[1], dtype=np.float32), levels.shape)
    scale = np.float32(LEVEL_SCALE)
    return np.stack([levels * scale, (levels - _floor(levels)) * scale, places], axis=2)


def _floor(levels: Levels) -> Levels:
    """Return the lowest short mean around each frame, in each band."""
    frames, half = len(levels), FLOOR_MEAN_FRAMES // 2
    wide = np.pad(levels, ((half, half), (0, 0)), mode="edge")
    means = sum((wide[at : at + frames] for at in range(1, FLOOR_MEAN_FRAMES)), wide[:frames]) / FLOOR_MEAN_FRAMES
    lowest = np.pad(means.astype(np.float32), ((FLOOR_REACH, FLOOR_REACH), (0, 0)), mode="edge")
    width, whole = 1, 2 * FLOOR_REACH + 1
    while 2 * width <= whole:  # the minimum over twice the width, of two neighbours' minima
        lowest = np.minimum(lowest[:-width], lowest[width:])
        width *= 2
    return np.minimum(lowest[:frames], lowest[whole - width :][:frames])


def _network(layer: Array) -> Levels:
    weights = _weights()
    for index, dilation in enumerate(DILATIONS):
        if index:
            np.maximum(layer, 0.0, out=layer)
        layer = _convolved(layer, weights[f"kernel{index}"], weights[f"bias{index}"], dilation)
    out: Levels = layer[:, :, 0]
    return out


def _convolved(layer: Array, kernel: Array, bias: Array, dilation: int) -> Array:
    """Convolve (frames, bands, channels) with (rows, columns, channels, outputs): bands padded, frames used up."""
    rows, columns, channels, outputs = kernel.shape
    frames, bands = layer.shape[0] - (rows - 1) * dilation, layer.shape[1]
    wide = np.pad(layer, ((0, 0), (columns // 2, columns // 2), (0, 0)))
    beside = np.concatenate([wide[:, column : column + bands] for column in range(columns)], axis=2)
    flat = kernel.reshape(rows, columns * channels, outputs)
    out = np.broadcast_to(bias, (frames * bands, outputs)).copy()
    for row in range(rows):
        out += beside[row * dilation : row * dilation + frames].reshape(frames * bands, -1) @ flat[row]
    return out.reshape(frames, bands, outputs)


@cache
def _weights() -> dict[str, Array]:
    with (resources.files(__package__) / WEIGHTS_FILE).open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        return {name: stored[name].astype(np.float32) for name in stored.files}
