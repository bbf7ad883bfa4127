"""Where training computes: new tensors are made on torch's default device, products there run in bfloat16."""

from __future__ import annotations

import torch
from torch import Tensor


def use_device(name: str) -> None:
    """Compute on "cpu", "cuda" or "cuda:N" from now on."""
    torch.set_default_device(name)


def on_device(tensor: Tensor) -> Tensor:
    """Move what numpy made."""
    return tensor.to(torch.get_default_device())


def in_bfloat16() -> torch.autocast:
    """Return the context of matrix products in bfloat16."""
    return torch.autocast(torch.get_default_device().type, torch.bfloat16)


def in_float32() -> torch.autocast:
    """Return the context in which nothing is rounded."""
    return torch.autocast(torch.get_default_device().type, enabled=False)
