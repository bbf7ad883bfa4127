"""Voices and tiny untrained networks for the tests of the neural voice."""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np

from vcfx_models.voice_file import Voice, save_voice


def random_voice(name: str) -> Voice:
    """A voice that depends on its name alone."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    embedding = rng.standard_normal(256)
    spectrum = np.concatenate([rng.normal(0.0, 0.5, 80), rng.uniform(0.3, 0.7, 80)])
    median_hz = float(rng.uniform(90.0, 250.0))
    unit = (embedding / np.linalg.norm(embedding)).astype(np.float32)
    return Voice(name, unit, spectrum.astype(np.float32), math.log(median_hz), 0.2, median_hz)


def write_voice_model(folder: Path) -> Path:
    """Write a tiny untrained model and two voices, ``anna`` and ``bert``; returns the folder."""
    from tiny_networks import write_tiny_networks

    write_tiny_networks(folder)
    for name in ("anna", "bert"):
        save_voice(random_voice(name), folder / f"{name}.safetensors")
    return folder
