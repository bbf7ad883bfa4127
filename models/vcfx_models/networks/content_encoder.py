"""What is said, without who says it: log-mel frames to small content frames."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from ..geometry import CONTENT_SIZE, MEL_CENTRE, MEL_SPREAD, N_MELS
from .layers import CausalStack, Memory


class ContentEncoder(nn.Module):
    """Causal encoder; its frame i describes the voice `LATENCY_SAMPLES` before the end of hop i.

    Parameters
    ----------
    channels, dilations
        Width of the layers and reach of each.
    """

    def __init__(self, channels: int = 320, dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8)) -> None:
        super().__init__()
        self.stack = CausalStack(N_MELS, channels, dilations)
        self.content = nn.Linear(channels, CONTENT_SIZE)

    def empty_memory(self, batch: int = 1) -> Memory:
        """Return the memory before the first frame."""
        return self.stack.empty_memory(batch)

    def forward(self, log_mel: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """Turn (batch, time, 80) into content (batch, time, 64) of zero mean and unit spread in each frame."""
        hidden, memory = self.stack((log_mel - MEL_CENTRE) / MEL_SPREAD, memory)
        content = self.content(hidden)
        return functional.layer_norm(content.float(), (CONTENT_SIZE,)), memory
