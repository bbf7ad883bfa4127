"""GE2E as Resemblyzer ships it (L. Wan et al., 2018): three LSTM layers and a projection."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from .corpus_ge2e import BANDS, EMBEDDING_SIZE

LAYERS = 3


class Ge2eNetwork(nn.Module):
    """Mel power to unit vectors; the weights stay as they are.

    Parameters
    ----------
    weights
        ``resemblyzer/pretrained.pt``.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__()
        state = torch.load(weights, map_location="cpu", weights_only=True)["model_state"]
        self.lstm = nn.LSTM(BANDS, EMBEDDING_SIZE, LAYERS, batch_first=True)
        self.linear = nn.Linear(EMBEDDING_SIZE, EMBEDDING_SIZE)
        self.load_state_dict({k: v for k, v in state.items() if k.startswith(("lstm.", "linear."))})
        self.requires_grad_(False)

    def forward(self, bands: Tensor) -> Tensor:
        """Turn (batch, frames, 40) into (batch, 256)."""
        _, (hidden, _) = self.lstm(bands)
        raw = torch.relu(self.linear(hidden[-1]))
        return raw / raw.norm(dim=1, keepdim=True).clamp_min(1e-9)
