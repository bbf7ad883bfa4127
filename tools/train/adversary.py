"""Judges of mel spectrograms: they take out the smoothness that mean distances leave."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .compute_device import in_bfloat16
from .losses import log_bands

#: Window and hop of the spectrograms that are judged.
VIEWS = ((512, 120), (1024, 240))


class ViewJudge(nn.Module):
    """Judges patches of one spectrogram: 2-D convolutions over time and bands."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        steps = [
            (1, width, (1, 2)),
            (width, width * 2, (2, 2)),
            (width * 2, width * 3, (2, 2)),
            (width * 3, width * 3, (1, 2)),
        ]
        self.layers = nn.ModuleList(
            nn.utils.parametrizations.weight_norm(nn.Conv2d(inputs, outputs, (3, 5), stride=stride, padding=(1, 2)))
            for inputs, outputs, stride in steps
        )
        self.verdict = nn.utils.parametrizations.weight_norm(nn.Conv2d(width * 3, 1, (3, 3), padding=(1, 1)))

    def forward(self, bands: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return verdicts of patches and the features on the way."""
        hidden, features = (bands[:, None] + 5.0) / 3.0, []
        for layer in self.layers:
            hidden = functional.leaky_relu(layer(hidden), 0.1)
            features.append(hidden)
        return self.verdict(hidden), features


class Judge(nn.Module):
    """One judge a view."""

    def __init__(self) -> None:
        super().__init__()
        self.views = nn.ModuleList(ViewJudge() for _ in VIEWS)

    def forward(self, audio: Tensor, bandwidth_hz: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        """Judge (batch, samples)."""
        judged = []
        for view, (window, hop) in zip(self.views, VIEWS, strict=True):
            bands = log_bands(audio, bandwidth_hz, window, hop)
            with in_bfloat16():
                judged.append(view(bands))
        return judged


def judge_losses(judge: Judge, spoken: Tensor, target: Tensor, bandwidth_hz: Tensor) -> Tensor:
    """Least-squares loss of the judge (X. Mao et al., 2017)."""
    total = torch.zeros(())
    for (false, _), (true, _) in zip(judge(spoken, bandwidth_hz), judge(target, bandwidth_hz), strict=True):
        total = total + false.float().square().mean() + (true.float() - 1.0).square().mean()
    return total / len(VIEWS)


def speaker_losses(judge: Judge, spoken: Tensor, target: Tensor, bandwidth_hz: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss of not fooling the judge, and the distance of its features (K. Kumar et al., 2019)."""
    fooled = matched = torch.zeros(())
    with torch.no_grad():
        real = judge(target, bandwidth_hz)
    for (verdict, features), (_, wanted) in zip(judge(spoken, bandwidth_hz), real, strict=True):
        fooled = fooled + (verdict.float() - 1.0).square().mean()
        for ours, theirs in zip(features, wanted, strict=True):
            matched = matched + (ours.float() - theirs.float()).abs().mean() / len(features)
    return fooled / len(VIEWS), matched / len(VIEWS)
