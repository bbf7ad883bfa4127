"""The vocoder's white noise in torch: a pure function of the sample's number, as in `vcfx_dsp.core.gaussian`."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def _as_signed(bits: int) -> int:
    return bits - (1 << 64) if bits >> 63 else bits


_STEP, _FIRST, _SECOND = (_as_signed(bits) for bits in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def _shifted(bits: Tensor, count: int) -> Tensor:
    """Shift right and fill with zeros; torch's own shift fills with the sign."""
    return (bits >> count) & ((1 << (64 - count)) - 1)


def _mixed(index: Tensor) -> Tensor:
    """SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014)."""
    bits = index * _STEP
    bits = (bits ^ _shifted(bits, 30)) * _FIRST
    bits = (bits ^ _shifted(bits, 27)) * _SECOND
    return bits ^ _shifted(bits, 31)


def white_noise(index: Tensor) -> Tensor:
    """Return Gaussian samples of unit variance for int64 sample numbers (Box and Muller)."""
    radius_share = (_shifted(_mixed(2 * index + 1), 11) + 1).double() * 2.0**-53
    turn = _shifted(_mixed(2 * index + 2), 11).double() * 2.0**-53
    return (torch.sqrt(-2.0 * torch.log(radius_share)) * torch.cos(2.0 * math.pi * turn)).float()
