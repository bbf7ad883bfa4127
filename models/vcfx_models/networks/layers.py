"""Causal layers whose memory of the past is an explicit value: the same call serves training, files and streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

#: One tensor (batch, frames, channels) for each layer that looks back.
Memory = list[Tensor]


class _TrainedTaps(torch.autograd.Function):
    """The taps of `CausalTaps` with one cheap backward pass: slices by autograd cost more than the products."""

    @staticmethod
    def forward(ctx: Any, whole: Tensor, taps: int, dilation: int) -> Tensor:
        ctx.taps, ctx.dilation, ctx.dtype = taps, dilation, whole.dtype
        if torch.is_autocast_enabled(whole.device.type):
            whole = whole.to(torch.get_autocast_dtype(whole.device.type))
        return torch.cat(_taps(whole, taps, dilation), dim=-1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        batch, length, width = gradients[0].shape
        parts = gradients[0].reshape(batch, length, ctx.taps, width // ctx.taps)
        past = (ctx.taps - 1) * ctx.dilation
        whole = torch.zeros(batch, length + past, parts.shape[-1], dtype=ctx.dtype, device=parts.device)
        for tap in range(ctx.taps):
            whole[:, tap * ctx.dilation : tap * ctx.dilation + length] += parts[:, :, tap]
        return whole, None, None


def _taps(whole: Tensor, taps: int, dilation: int) -> list[Tensor]:
    length = whole.shape[1] - (taps - 1) * dilation
    return [whole[:, tap * dilation : tap * dilation + length] for tap in range(taps)]


class CausalTaps(nn.Module):
    """Lay the present and earlier frames of a sequence side by side, so that a convolution becomes a matrix product.

    A product over a window runs as one matrix multiplication in training and as one vector-matrix product, which
    runtimes quantise well, in a stream of single frames.

    Parameters
    ----------
    channels, taps, dilation
        Size of a frame; frames looked at; distance between them.
    """

    def __init__(self, channels: int, taps: int, dilation: int) -> None:
        super().__init__()
        self.channels, self.taps, self.dilation = channels, taps, dilation

    @property
    def past_frames(self) -> int:
        """Earlier frames that the layer must remember."""
        return (self.taps - 1) * self.dilation

    def empty_memory(self, batch: int) -> Tensor:
        """Return the memory before the first frame: silence."""
        return torch.zeros(batch, self.past_frames, self.channels)

    def forward(self, frames: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Return (batch, time, taps * channels), oldest tap first, and the memory for the next call."""
        whole = torch.cat([memory.to(frames.dtype), frames], dim=1)
        after = whole[:, whole.shape[1] - self.past_frames :]
        if torch.is_grad_enabled():
            windows = _TrainedTaps.apply(whole, self.taps, self.dilation)  # type: ignore[no-untyped-call]
            return cast(Tensor, windows), after
        return torch.cat(_taps(whole, self.taps, self.dilation), dim=-1), after


class GatedBlock(nn.Module):
    """Residual causal convolution with a gate: ``x + a * sigmoid(b)``, (a, b) from a window of normalised frames.

    With `film` (scale and shift, each (batch, 1, channels)) the normalised frames are coloured by a speaker.
    """

    def __init__(self, channels: int, taps: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.taps = CausalTaps(channels, taps, dilation)
        self.mix = nn.Linear(channels * taps, 2 * channels)

    def forward(self, frames: Tensor, memory: Tensor, film: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the frames, same shape (batch, time, channels), and the next memory."""
        normal = self.norm(frames)
        if film is not None:
            scale, shift = film.chunk(2, dim=-1)
            normal = normal * (1.0 + scale) + shift
        window, memory = self.taps(normal, memory)
        value, gate = self.mix(window).chunk(2, dim=-1)
        return frames + value * torch.sigmoid(gate), memory


class CausalStack(nn.Module):
    """A projection over a few frames, then gated blocks of growing reach."""

    def __init__(self, inputs: int, channels: int, dilations: Sequence[int], taps: int = 3) -> None:
        super().__init__()
        self.entry_taps = CausalTaps(inputs, taps, 1)
        self.entry = nn.Linear(inputs * taps, channels)
        self.blocks = nn.ModuleList(GatedBlock(channels, taps, dilation) for dilation in dilations)
        self.exit = nn.LayerNorm(channels)

    @property
    def past_frames(self) -> int:
        """Earlier frames that can change the present one."""
        return self.entry_taps.past_frames + sum(cast(GatedBlock, block).taps.past_frames for block in self.blocks)

    def empty_memory(self, batch: int = 1) -> Memory:
        """Return the memory before the first frame."""
        return [self.entry_taps.empty_memory(batch)] + [
            cast(GatedBlock, block).taps.empty_memory(batch) for block in self.blocks
        ]

    def forward(self, frames: Tensor, memory: Memory, films: Tensor | None = None) -> tuple[Tensor, Memory]:
        """Run (batch, time, inputs) -> (batch, time, channels); `films`: (batch, blocks, 2 * channels)."""
        window, after = self.entry_taps(frames, memory[0])
        hidden, kept = self.entry(window), [after]
        for index, block in enumerate(self.blocks):
            film = None if films is None else films[:, index : index + 1]
            hidden, after = block(hidden, memory[index + 1], film)
            kept.append(after)
        return self.exit(hidden), kept
