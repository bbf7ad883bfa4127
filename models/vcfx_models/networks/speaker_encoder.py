"""Who speaks: a voice's speech to a point on the unit sphere that GE2E would give it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..geometry import EMBEDDING_SIZE, MEL_CENTRE, MEL_SPREAD, N_MELS


class _Residual(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.wide = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.point = nn.Conv1d(channels, channels, 1)

    def forward(self, frames: Tensor) -> Tensor:
        inner = functional.silu(self.wide(self.norm(frames)))
        after: Tensor = frames + self.point(inner)
        return after


class SpeakerEncoder(nn.Module):
    """Student of GE2E (L. Wan et al., 2018): learns its embeddings from log-mel frames of the converter's own kind.

    Sees a whole clip at once: frames are weighed by attention and summed up by mean and spread.

    Parameters
    ----------
    channels, dilations
        Width of the layers and reach of each.
    """

    def __init__(self, channels: int = 256, dilations: tuple[int, ...] = (1, 2, 3, 4, 5, 6)) -> None:
        super().__init__()
        self.entry = nn.Conv1d(N_MELS, channels, 5, padding=2)
        self.blocks = nn.ModuleList(_Residual(channels, dilation) for dilation in dilations)
        self.collect = nn.Conv1d(channels, 2 * channels, 1)
        self.attention = nn.Sequential(nn.Conv1d(2 * channels, 128, 1), nn.Tanh(), nn.Conv1d(128, 2 * channels, 1))
        self.exit = nn.Sequential(nn.LayerNorm(4 * channels), nn.Linear(4 * channels, EMBEDDING_SIZE))

    def forward(self, log_mel: Tensor) -> Tensor:
        """Turn (batch, frames, 80), speech at -24 dBFS, into (batch, 256) of unit length, 0 or more in each entry."""
        hidden = self.entry(((log_mel - MEL_CENTRE) / MEL_SPREAD).transpose(1, 2))
        for block in self.blocks:
            hidden = block(hidden)
        hidden = functional.silu(self.collect(hidden))
        weights = torch.softmax(self.attention(hidden).float(), dim=2)
        mean = (hidden * weights).sum(2)
        spread = torch.sqrt(((hidden.float() ** 2) * weights).sum(2) - mean.float() ** 2 + 1e-5)
        raw = functional.softplus(4.0 * self.exit(torch.cat([mean.float(), spread], dim=1)).float()) / 4.0
        return functional.normalize(raw, dim=1)
