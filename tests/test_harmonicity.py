"""What tells voiced sounds from voiceless ones: against sounds of which that is known, whoever speaks them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tools.train.harmonicity import HIGHEST_HZ, WINDOW_SAMPLES, harmonicity, voicing_apart
from vcfx_models import geometry as grid

SAMPLES = 12_000


def _hum(f0_hz: float, seed: int = 0) -> Tensor:
    """Return (1, samples) of harmonics in random phases."""
    time_s = torch.arange(SAMPLES) / grid.SAMPLE_RATE
    numbers = torch.arange(1, int(HIGHEST_HZ / f0_hz) + 1)
    phases = torch.rand(len(numbers), generator=torch.Generator().manual_seed(seed)) * 2.0 * math.pi
    return 0.05 * torch.cos(2.0 * math.pi * f0_hz * numbers[:, None] * time_s + phases[:, None]).sum(0, keepdim=True)


def _hiss(seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, SAMPLES, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("f0_hz", [75.0, 110.0, 173.5, 240.0, 410.0])
def test_a_hum_is_periodic_at_any_pitch(f0_hz: float) -> None:
    assert float(harmonicity(_hum(f0_hz))[0].min()) > 0.93


def test_hiss_is_not() -> None:
    assert float(harmonicity(_hiss())[0].mean()) < 0.35


def test_noise_takes_away_its_share() -> None:
    """Half of the power in noise below 2 kHz: about half of the frame comes back."""
    spectrum = torch.fft.rfft(_hiss())
    spectrum[:, int(HIGHEST_HZ * SAMPLES / grid.SAMPLE_RATE) :] = 0.0
    noise, hum = torch.fft.irfft(spectrum), _hum(130.0)
    noise *= hum.square().mean().sqrt() / noise.square().mean().sqrt()
    assert float(harmonicity(hum + noise)[0].mean()) == pytest.approx(0.55, abs=0.12)


def test_power_is_that_of_each_frame() -> None:
    hiss = _hiss()
    first = float(hiss[0, :WINDOW_SAMPLES].square().mean())
    assert float(harmonicity(hiss)[1][0, 0]) == pytest.approx(first, rel=1e-5)


def test_another_pitch_is_no_difference_but_another_voicing_is() -> None:
    same = float(voicing_apart(_hum(105.0), _hum(210.0, seed=1)))
    other = float(voicing_apart(_hiss(), _hum(210.0, seed=1)))
    assert same < 0.05 < 0.5 < other


def test_pauses_of_the_target_do_not_count() -> None:
    assert float(voicing_apart(_hum(105.0), 1e-4 * _hiss())) == 0.0


def test_a_step_along_the_gradient_makes_noise_more_voiced() -> None:
    noise = (_hiss() + 0.3 * _hum(150.0)).requires_grad_(True)
    before = voicing_apart(noise, _hum(150.0))
    (gradient,) = torch.autograd.grad(before, noise)
    after = voicing_apart(noise.detach() - 0.02 * gradient / gradient.abs().max(), _hum(150.0))
    assert np.isfinite(gradient.numpy()).all()
    assert float(after) < float(before.detach())
