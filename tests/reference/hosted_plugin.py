"""A plugin driven by pedalboard alone, one copy for each channel or pair, in blocks of one length."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pedalboard

from vcfx.hosts.plugins.float_mode import kept_float_mode
from vcfx_dsp.node import Block


def render(path: Path, signal: Block, rate_hz: int, hop: int, stereo: bool, values: Mapping[str, float | str]) -> Block:
    """Return what the plugin makes of a signal whose length is a multiple of `hop`."""
    rows = [signal] if stereo and len(signal) == 2 else [row[np.newaxis] for row in signal]
    made = []
    for row in rows:
        with kept_float_mode():
            plugin = pedalboard.VST3Plugin(str(path))
        for name, value in values.items():
            setattr(plugin, name, value)
        fed = np.repeat(row, 2, axis=0) if stereo and len(row) == 1 else row
        blocks = [
            plugin.process(fed[:, start : start + hop], rate_hz, buffer_size=hop, reset=False)
            for start in range(0, signal.shape[1], hop)
        ]
        sound = np.concatenate(blocks, axis=1)
        made.append(sound.mean(axis=0, keepdims=True) if len(row) == 1 else sound)
    return np.concatenate(made).astype(np.float32)
