"""The encoder of a Whisper recogniser as a torch module, so that words can be taught through its ears."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from .compute_device import in_bfloat16, on_device
from .ctranslate_file import read_ctranslate
from .mel_at_16_khz import MelAt16Khz

FFT_SAMPLES, BANDS, HEAD_SIZE = 400, 80, 64


class _Layer(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.attention_norm, self.inner_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.entry, self.exit = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.widen, self.narrow = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)
        self.heads = size // HEAD_SIZE

    def forward(self, frames: Tensor) -> Tensor:
        parts = self.entry(self.attention_norm(frames)).unflatten(-1, (3, self.heads, HEAD_SIZE))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        frames = frames + self.exit(mixed.transpose(1, 2).flatten(2))
        inner: Tensor = self.narrow(functional.gelu(self.widen(self.inner_norm(frames))))
        return frames + inner


class Recogniser(nn.Module):
    """Whisper's encoder (Radford et al. 2022), its weights fixed.

    Parameters
    ----------
    weights
        A ``model.bin`` of CTranslate2 in float16 or float32.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__()
        stored = read_ctranslate(weights)
        values = {
            name: on_device(torch.from_numpy(array.copy())).float()
            for name, array in stored.items()
            if "encoder/" in name
        }
        size = values["encoder/conv1/bias"].numel()
        count = sum(name.endswith("/ffn/linear_0/bias") for name in values)
        self.first, self.second = nn.Conv1d(BANDS, size, 3, padding=1), nn.Conv1d(size, size, 3, stride=2, padding=1)
        self.layers = nn.ModuleList(_Layer(size) for _ in range(count))
        self.norm = nn.LayerNorm(size)
        self._fill(values)
        self.requires_grad_(False)
        self.register_buffer("places", values["encoder/position_encodings/encodings"])
        self.mel = MelAt16Khz(FFT_SAMPLES, BANDS)

    def _fill(self, values: dict[str, Tensor]) -> None:
        for ours, theirs in ((self.first, "conv1"), (self.second, "conv2")):
            _set(ours, values, f"encoder/{theirs}", "weight", "bias")
        _set(self.norm, values, "encoder/layer_norm", "gamma", "beta")
        for index, layer in enumerate(self.layers):
            place = f"encoder/layer_{index}"
            for name, theirs in (("entry", "linear_0"), ("exit", "linear_1")):
                _set(getattr(layer, name), values, f"{place}/self_attention/{theirs}", "weight", "bias")
            for name, theirs in (("widen", "linear_0"), ("narrow", "linear_1")):
                _set(getattr(layer, name), values, f"{place}/ffn/{theirs}", "weight", "bias")
            for name, theirs in (("attention_norm", "self_attention"), ("inner_norm", "ffn")):
                _set(getattr(layer, name), values, f"{place}/{theirs}/layer_norm", "gamma", "beta")

    def log_mel(self, audio: Tensor) -> Tensor:
        """Return (batch, frames, 80) of (batch, samples) at the converter's rate, scaled as the recogniser expects."""
        mel = self.mel(audio).clamp(min=1e-10).log10()
        return (torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 8.0) + 4.0) / 4.0

    def hear(self, audio: Tensor) -> Tensor:
        """Return what is heard of (batch, samples): bands in float32, the network in bfloat16."""
        mel = self.log_mel(audio)
        with in_bfloat16():
            heard: Tensor = self(mel)
        return heard.float()

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return (batch, frames / 2, size): what is heard every 20 ms."""
        frames = functional.gelu(self.first(log_mel.transpose(1, 2)))
        frames = functional.gelu(self.second(frames)).transpose(1, 2)
        frames = frames + self.places[: frames.shape[1]]
        for layer in self.layers:
            frames = layer(frames)
        heard: Tensor = self.norm(frames)
        return heard


@torch.no_grad()
def _set(layer: nn.Module, values: dict[str, Tensor], place: str, weight: str, bias: str) -> None:
    layer.get_parameter("weight").copy_(values[f"{place}/{weight}"])
    layer.get_parameter("bias").copy_(values[f"{place}/{bias}"])
