"""The detector of live voices as a torch module."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from vcfx_models.liveness.speech_spectrum import N_BANDS

CHANNELS: Final = (16, 24, 32, 48)
#: Each layer halves both axes but for the last, which halves only the bands.
STRIDES: Final = ((2, 2), (2, 2), (2, 2), (1, 2))
WIDTH: Final = 96
DROPOUT: Final = 0.3


class LivenessNetwork(nn.Module):
    """Four convolutions over time and bands, then mean and spread over time, then one number."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs, bands = 1, N_BANDS
        for outputs, stride in zip(CHANNELS, STRIDES, strict=True):
            layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs, bands = outputs, (bands + 1) // 2
        self.layers = nn.Sequential(*layers)
        self.mix = nn.Sequential(nn.Linear(inputs * bands, WIDTH), nn.ReLU())
        self.judge = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(2 * WIDTH, 1))

    def forward(self, spectrum: Tensor) -> Tensor:
        """Return (B,), the logarithm of the odds that speech is live, of its spectrum (B, frames, 117)."""
        found = self.layers(spectrum[:, None])  # (B, C, T, bands)
        found = self.mix(found.permute(0, 2, 1, 3).flatten(2))  # (B, T, WIDTH)
        mean = found.mean(dim=1)
        spread = ((found - mean[:, None]).square().mean(dim=1) + 1e-5).sqrt()
        return self.judge(torch.cat([mean, spread], dim=1))[:, 0]
