"""Judges of what is spoken: they learn to tell speech from its imitation and one person from another."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tools.train.adversary import Claim, Judge, judge_losses, speaker_losses

SAMPLES, SIZE = 6_000, 4


def _claim(audio: Tensor, person: int = 0) -> Claim:
    size = audio.shape[0]
    return Claim(audio, torch.full((size,), 12_000.0), torch.eye(256)[person].expand(size, -1))


def _noise(seed: int, low: bool = False) -> Tensor:
    spectrum = torch.fft.rfft(0.05 * torch.randn(SIZE, SAMPLES, generator=torch.Generator().manual_seed(seed)))
    half = spectrum.shape[1] // 2
    spectrum[:, half:] *= 0.01 if low else 1.0
    spectrum[:, :half] *= 1.0 if low else 0.01
    noise: Tensor = torch.fft.irfft(spectrum)
    return noise


@pytest.fixture
def judge() -> Judge:
    torch.manual_seed(5)
    return Judge()


def _learn(judge: Judge, spoken: list[Claim], recorded: list[Claim], steps: int = 40) -> None:
    optimiser = torch.optim.AdamW(judge.parameters(), lr=1e-3)
    for step in range(steps):
        place = step % len(spoken)
        loss = judge_losses(judge, spoken[place], recorded[place])
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()


def _verdict(judge: Judge, claim: Claim) -> float:
    with torch.no_grad():
        return float(torch.stack([verdict.float().mean() for verdict, _ in judge(claim)]).mean())


def test_a_judge_learns_to_tell_speech_from_its_imitation(judge: Judge) -> None:
    _learn(judge, [_claim(_noise(1, low=True))], [_claim(_noise(2))])
    assert _verdict(judge, _claim(_noise(3))) > 0.7 > 0.3 > _verdict(judge, _claim(_noise(4, low=True)))


def test_a_judge_learns_who_sounds_how(judge: Judge) -> None:
    """The same sounds are right for one person and wrong for another."""
    low, high = _noise(1, low=True), _noise(2)
    recorded = [_claim(low, 0), _claim(high, 1)]
    spoken = [_claim(high, 0), _claim(low, 1)]
    _learn(judge, spoken, recorded, steps=120)
    right = _verdict(judge, _claim(_noise(3), 1)) + _verdict(judge, _claim(_noise(4, low=True), 0))
    wrong = _verdict(judge, _claim(_noise(3), 0)) + _verdict(judge, _claim(_noise(4, low=True), 1))
    assert right > wrong + 0.5


def test_only_what_has_a_recording_is_compared_with_it(judge: Judge) -> None:
    recorded = _claim(_noise(2))
    spoken = _claim(torch.cat([recorded.audio, _noise(1)]))
    fooled, matched = speaker_losses(judge, spoken, recorded)
    assert float(matched.detach()) == pytest.approx(0.0, abs=1e-6)
    assert float(fooled.detach()) > 0.0


def test_fooling_teaches_the_speaker_and_holding_does_not(judge: Judge) -> None:
    spoken = _claim(_noise(1).requires_grad_(True))
    fooled, _ = speaker_losses(judge, spoken, _claim(_noise(2)))
    (gradient,) = torch.autograd.grad(fooled, spoken.audio)
    assert float(gradient.abs().max()) > 0.0
    assert not spoken.held().audio.requires_grad
