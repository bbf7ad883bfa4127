"""Holds voices to the target's identity by GE2E itself, which its student alone lets itself be fooled about."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from vcfx_models.ge2e_geometry import BANDS, FFT_SAMPLES
from vcfx_models.networks.ge2e import read_ge2e

from .compute_device import in_float32
from .identity import at_usual_level, mean_of_heard
from .mel_at_16_khz import MelAt16Khz

#: Before so many frames of 10 ms, GE2E has heard too little to say who speaks.
FIRST_FRAME = 30


class TeacherIdentity(nn.Module):
    """1 - cosine between GE2E's view of what was spoken and of the target.

    A converter trained with this is flattered by GE2E: judge it by another embedder.

    Parameters
    ----------
    weights
        ``resemblyzer/pretrained.pt``.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__()
        self.network = read_ge2e(weights)
        self.mel = MelAt16Khz(FFT_SAMPLES, BANDS)

    def forward(self, spoken: Tensor, target: Tensor, identity: Tensor, is_swap: Tensor) -> dict[str, Tensor]:
        """Compare (batch, samples) with (batch, samples); clips that are nearly silent do not count.

        Parameters
        ----------
        spoken, target
            What was spoken and what should have been; in swaps, what the source said.
        identity
            (batch, 256), GE2E's embedding of the target's clip.
        is_swap
            (batch,).

        Returns
        -------
        dict
            "teacher": swaps against `identity`; "view": the others against GE2E's view of the target, frame by frame,
            which tells more of how the voice sounds than the clip as a whole.
        """
        levelled, heard = at_usual_level(spoken, target)
        views = self._views(levelled)
        apart = {}
        if bool(is_swap.any()):
            apart["teacher"] = mean_of_heard(1.0 - (views[is_swap, -1] * identity[is_swap]).sum(1), heard[is_swap])
        told = ~is_swap
        if bool(told.any()):
            with torch.no_grad():
                wanted = self._views(at_usual_level(target[told], target[told])[0])
            apart["view"] = mean_of_heard(1.0 - (views[told] * wanted).sum(2).mean(1), heard[told])
        return apart

    def _views(self, audio: Tensor) -> Tensor:
        """Return (batch, frames, 256): what GE2E thinks after each frame."""
        with in_float32():
            hidden, _ = self.network.lstm(self.mel(audio))
            raw = torch.relu(self.network.linear(hidden[:, FIRST_FRAME:]))
            return functional.normalize(raw, dim=2, eps=1e-9)
