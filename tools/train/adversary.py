"""Judges of mel spectrograms: they take out the smoothness that mean distances leave."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vcfx_models.geometry import EMBEDDING_SIZE

from .compute_device import in_bfloat16
from .losses import log_bands

#: Window and hop of the spectrograms that are judged.
VIEWS = ((512, 120), (1024, 240))
#: Slope of what is negative.
LEAK = 0.1


class Claim(NamedTuple):
    """Speech that claims to be a person's: (batch, samples), up to where it was recorded, GE2E's view of the person."""

    audio: Tensor
    bandwidth_hz: Tensor
    identity: Tensor

    def some(self, chosen: Tensor) -> Claim:
        """Return the chosen ones."""
        return Claim(self.audio[chosen], self.bandwidth_hz[chosen], self.identity[chosen])

    def held(self) -> Claim:
        """Return the same without its history."""
        return self._replace(audio=self.audio.detach())


def _convolution(
    inputs: int, outputs: int, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> nn.Module:
    """Return a convolution that passes on its input's power.

    By default each loses most of it, five in a row nearly all: a judge made of those learned next to nothing.
    """
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding)
    nn.init.kaiming_normal_(layer.weight, LEAK, nonlinearity="leaky_relu")
    return nn.utils.parametrizations.weight_norm(layer)


class ViewJudge(nn.Module):
    """Judges patches of one spectrogram: 2-D convolutions over time and bands.

    Who is claimed to speak is compared with what is seen: a projection (T. Miyato and M. Koyama, 2018).
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        steps = [
            (1, width, (1, 2)),
            (width, width * 2, (2, 2)),
            (width * 2, width * 3, (2, 2)),
            (width * 3, width * 3, (1, 2)),
        ]
        self.layers = nn.ModuleList(
            _convolution(inputs, outputs, (3, 5), stride, (1, 2)) for inputs, outputs, stride in steps
        )
        self.verdict = _convolution(width * 3, 1, (3, 3), (1, 1), (1, 1))
        self.person = nn.Linear(EMBEDDING_SIZE, width * 3)

    def forward(self, bands: Tensor, identity: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return verdicts of patches and the features on the way."""
        hidden, features = (bands[:, None] + 5.0) / 3.0, []
        for layer in self.layers:
            hidden = functional.leaky_relu(layer(hidden), LEAK)
            features.append(hidden)
        person = self.person(identity * EMBEDDING_SIZE**0.5)[:, :, None, None]  # entries of about 1
        return self.verdict(hidden) + (hidden * person).mean(1, keepdim=True), features


class Judge(nn.Module):
    """One judge a view."""

    def __init__(self) -> None:
        super().__init__()
        self.views = nn.ModuleList(ViewJudge() for _ in VIEWS)

    def forward(self, claim: Claim) -> list[tuple[Tensor, list[Tensor]]]:
        """Judge speech, view by view."""
        judged = []
        for view, (window, hop) in zip(self.views, VIEWS, strict=True):
            bands = log_bands(claim.audio, claim.bandwidth_hz, window, hop)
            with in_bfloat16():
                judged.append(view(bands, claim.identity))
        return judged


def judge_losses(judge: Judge, spoken: Claim, recorded: Claim) -> Tensor:
    """Least-squares loss of the judge (X. Mao et al., 2017); there may be more of the one than of the other."""
    total = torch.zeros(())
    for (false, _), (true, _) in zip(judge(spoken), judge(recorded), strict=True):
        total = total + false.float().square().mean() + (true.float() - 1.0).square().mean()
    return total / len(VIEWS)


def speaker_losses(judge: Judge, spoken: Claim, recorded: Claim) -> tuple[Tensor, Tensor]:
    """Return the loss of not fooling the judge, and the distance of its features (K. Kumar et al., 2019).

    The first of `spoken` are compared with `recorded`, what they should be; for the others there is no such thing.
    """
    fooled = matched = torch.zeros(())
    with torch.no_grad():
        real = judge(recorded)
    known = recorded.audio.shape[0]
    for (verdict, features), (_, wanted) in zip(judge(spoken), real, strict=True):
        fooled = fooled + (verdict.float() - 1.0).square().mean()
        for ours, theirs in zip(features, wanted, strict=True):
            matched = matched + (ours[:known].float() - theirs.float()).abs().mean() / len(features)
    return fooled / len(VIEWS), matched / len(VIEWS)
