"""GE2E, a speaker encoder: three LSTM layers and a projection to the positive part of the unit sphere."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import ModelError
from ..ge2e_geometry import BANDS, EMBEDDING_SIZE, HIDDEN_SIZE, LAYERS

_PARTS: Final = ("lstm.", "linear.")


class Ge2eMemory(NamedTuple):
    """What the layers remember of the frames so far: `hidden` and `cell`, both (3, batch, 256)."""

    hidden: Tensor
    cell: Tensor


class Ge2e(nn.Module):
    """Speech to a point that is near for one speaker and far for two.

    L. Wan, Q. Wang, A. Papir, I. Lopez Moreno, "Generalized end-to-end loss for speaker verification", ICASSP 2018;
    sizes, input and ReLU as in the package Resemblyzer, whose weights fit. Meant for partials of 1.6 s, each from an
    empty memory: longer speech is the mean of its partials.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(BANDS, HIDDEN_SIZE, LAYERS, batch_first=True)
        self.linear = nn.Linear(HIDDEN_SIZE, EMBEDDING_SIZE)

    @staticmethod
    def empty_memory(batch: int) -> Ge2eMemory:
        """Return the memory before the first frame."""
        return Ge2eMemory(torch.zeros(LAYERS, batch, HIDDEN_SIZE), torch.zeros(LAYERS, batch, HIDDEN_SIZE))

    def forward(self, bands: Tensor) -> Tensor:
        """Turn (batch, frames, 40) of mel power at 16 kHz into (batch, 256) of unit length, 0 or more in each entry."""
        return self.hear(bands, self.empty_memory(bands.shape[0]))[0]

    def hear(self, bands: Tensor, memory: Ge2eMemory) -> tuple[Tensor, Ge2eMemory]:
        """Go on from a memory; return what `forward` would of all frames so far, and the memory after them."""
        _, after = self.lstm(bands, tuple(memory))  # (3, B, 256)
        return self._placed(after[0][-1]), Ge2eMemory(*after)

    def views(self, bands: Tensor) -> Tensor:
        """Return (batch, frames, 256): what `forward` would of the frames up to each."""
        hidden, _ = self.lstm(bands)  # (B, T, 256), from an empty memory
        return self._placed(hidden)

    def _placed(self, hidden: Tensor) -> Tensor:
        """Return the points of the sphere that the last layer's (..., 256) stand for."""
        raw = torch.relu(self.linear(hidden))
        placed: Tensor = raw / raw.norm(dim=-1, keepdim=True).clamp_min(1e-9)
        return placed


def read_ge2e(path: Path) -> Ge2e:
    """Return GE2E with the weights of a file, fixed: Resemblyzer's ``pretrained.pt`` or our ``.safetensors``.

    Raises
    ------
    ModelError
        If the file is missing, damaged or holds something else.
    """
    network = Ge2e()
    try:
        held = _stored(path)
        network.load_state_dict({name: value for name, value in held.items() if name.startswith(_PARTS)})
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception:  # what the two readers raise at rubbish has no common base but this one
        raise ModelError(f"{path} is damaged or holds no GE2E weights") from None
    network.requires_grad_(False)
    return network.eval()


def _stored(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return {name: value.float() for name, value in load_file(path).items()}
    held: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    return held
