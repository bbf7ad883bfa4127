"""The detector of live voices as a torch module."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from vcfx_models.liveness.speech_spectrum import FINE_BANDS, SHORT_BANDS, SHORTS

WIDTH: Final = 96
DROPOUT: Final = 0.3


class Layer(NamedTuple):
    """A convolution over time and bands: channels that it gives, how far it reaches, by how much it shrinks both."""

    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]


#: Both end with one frame for 40 ms.
FINE: Final = (
    Layer(16, (3, 5), (2, 2)),
    Layer(24, (3, 3), (2, 2)),
    Layer(32, (3, 3), (1, 2)),
    Layer(48, (3, 3), (1, 2)),
)
SHORT: Final = (
    Layer(16, (5, 3), (2, 1)),
    Layer(24, (3, 3), (2, 2)),
    Layer(32, (3, 3), (2, 2)),
    Layer(32, (3, 3), (2, 2)),
)


class LivenessNetwork(nn.Module):
    """Convolutions over the fine bands and over the short windows, then mean and spread over time, then one number."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, fine_width = _layers(FINE, FINE_BANDS)
        self.short, short_width = _layers(SHORT, SHORT_BANDS)
        self.mix = nn.Sequential(nn.Linear(fine_width + short_width, WIDTH), nn.ReLU())
        self.judge = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(2 * WIDTH, 1))

    def forward(self, spectrum: Tensor) -> Tensor:
        """Return (B,), the logarithm of the odds that speech is live, of its spectrum (B, frames, 350)."""
        fine = self.fine(spectrum[:, None, :, :FINE_BANDS])
        windows = spectrum[:, :, FINE_BANDS:].reshape(spectrum.shape[0], SHORTS * spectrum.shape[1], SHORT_BANDS)
        short = self.short(windows[:, None])
        both = torch.cat([part.permute(0, 2, 1, 3).flatten(2) for part in (fine, short)], dim=2)
        found = self.mix(both)  # (B, T, WIDTH)
        mean = found.mean(dim=1)
        spread = ((found - mean[:, None]).square().mean(dim=1) + 1e-5).sqrt()
        return self.judge(torch.cat([mean, spread], dim=1))[:, 0]


def _layers(layers: tuple[Layer, ...], bands: int) -> tuple[nn.Sequential, int]:
    """Return the convolutions, and how many numbers they give for each frame."""
    parts: list[nn.Module] = []
    inputs = 1
    for outputs, kernel, stride in layers:
        padding = kernel[0] // 2, kernel[1] // 2
        parts += [nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        inputs, bands = outputs, (bands - 1) // stride[1] + 1
    return nn.Sequential(*parts), inputs * bands
