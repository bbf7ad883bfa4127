"""Predicted listening quality: DNSMOS."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from .embedders import single_thread_session
from .packages import package
from .sound import Sound

RATE_HZ: Final = 16_000
SCORES: Final = {"ovrl": "ovrl_mos", "sig": "sig_mos", "bak": "bak_mos"}


class Dnsmos:
    """speechmos's DNSMOS P.835: overall, signal and background, 1 to 5."""

    meter = "dnsmos-1"

    @cached_property
    def _network(self) -> Any:
        module = package("speechmos.dnsmos")
        folder = Path(module.__file__).parent / "dnsmos_models"
        paths = [str(folder / name) for name in ("sig_bak_ovr.onnx", "model_v8.onnx")]
        network = module.DNSMOS(*paths)
        # Its own sessions take every core.
        network.onnx_sess, network.p808_onnx_sess = (single_thread_session(path) for path in paths)
        return network

    def scores(self, sound: Sound) -> dict[str, float]:
        """Return ``ovrl``, ``sig`` and ``bak``; sound beyond full scale is turned down, as a file would clip it."""
        audio = sound.at(RATE_HZ).audio
        loudest = float(np.max(np.abs(audio), initial=0.0))
        found = self._network(audio / max(loudest, 1.0), RATE_HZ, False)
        return {name: round(float(found[key]), 4) for name, key in SCORES.items()}
