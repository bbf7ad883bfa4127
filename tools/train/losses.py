"""How far spoken audio is from what should have been spoken, in spectra: phases are free."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vcfx_models import geometry as grid

from .front_end import warped_filterbank

#: Window and hop of each resolution, samples at 24 kHz.
RESOLUTIONS = ((2048, 480), (1024, 240), (512, 120))
LEAST_MAGNITUDE = 1e-4
JUDGE_BANDS = 100


class SpectralDistance(NamedTuple):
    """Mean log distance of magnitudes, relative error of loud magnitudes, log distance in mel bands."""

    log: Tensor
    relative: Tensor
    mel: Tensor


def magnitudes(audio: Tensor, window: int, hop: int) -> Tensor:
    """Return (batch, frames, bins); a sinusoid of amplitude 1 has magnitude about 0.5."""
    shape = torch.hann_window(window, device=audio.device)
    spectrum = torch.stft(audio, window, hop, window=shape / shape.sum(), center=False, return_complex=True)
    return torch.sqrt(spectrum.real**2 + spectrum.imag**2 + 1e-12).transpose(1, 2)


def spectral_distance(spoken: Tensor, target: Tensor, bandwidth_hz: Tensor) -> SpectralDistance:
    """Compare (batch, samples) at several resolutions, each clip up to its own bandwidth."""
    log_total = relative_total = torch.zeros((), device=spoken.device)
    for window, hop in RESOLUTIONS:
        bins_hz = torch.arange(window // 2 + 1, device=spoken.device) * (grid.SAMPLE_RATE / window)
        heard = (bins_hz[None] <= bandwidth_hz[:, None])[:, None].float()
        ours, theirs = magnitudes(spoken, window, hop), magnitudes(target, window, hop)
        logs = (ours + LEAST_MAGNITUDE).log() - (theirs + LEAST_MAGNITUDE).log()
        log_total = log_total + (logs.abs() * heard).sum() / (heard.sum() * ours.shape[1])
        if window == 1024:
            difference = ((ours.sqrt() - theirs.sqrt()) * heard).square().sum((1, 2)).sqrt()
            relative_total = (difference / ((theirs * heard).sum((1, 2)).sqrt() + 0.1)).mean()
    count = len(RESOLUTIONS)
    mel = (log_bands(spoken, bandwidth_hz) - log_bands(target, bandwidth_hz)).abs().mean()
    return SpectralDistance(log_total / count, relative_total, mel)


_bank: dict[int, Tensor] = {}


def log_bands(audio: Tensor, bandwidth_hz: Tensor, window: int = 512, hop: int = 120) -> Tensor:
    """Return (batch, frames, 100) log magnitudes in mel bands up to 12 kHz, 0 above each clip's bandwidth."""
    if window not in _bank:
        weights = warped_filterbank(1.0, 12_000.0, JUDGE_BANDS) if window == 512 else _wide_bank(window)
        _bank[window] = (weights > 0).float() * weights / weights.sum(0, keepdim=True).clamp(min=1e-9)
    bank = _bank[window].to(audio.device)
    peaks_hz = (bank.argmax(0) * (grid.SAMPLE_RATE / window))[None]
    inside = (peaks_hz <= bandwidth_hz[:, None])[:, None].float()
    levels = magnitudes(audio, window, hop).square() @ bank
    return 0.5 * (levels + LEAST_MAGNITUDE**2).log() * inside


def _wide_bank(window: int) -> Tensor:
    narrow = warped_filterbank(1.0, 12_000.0, JUDGE_BANDS).T[None]
    size = window // 2 + 1
    return functional.interpolate(narrow, size=size, mode="linear", align_corners=True)[0].T.contiguous()


class ContentHeads(nn.Module):
    """What the content must tell while training: the teacher's features and the symbol being spoken."""

    def __init__(self, features: int, symbols: int, width: int = 256) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(grid.CONTENT_SIZE, width), nn.SiLU())
        self.features, self.symbols = nn.Linear(width, features), nn.Linear(width, symbols)

    def forward(self, content: Tensor) -> tuple[Tensor, Tensor]:
        """Return predicted features and symbol scores."""
        inner = self.inner(content)
        return self.features(inner), self.symbols(inner)


def content_losses(
    heads: ContentHeads, content: Tensor, features: Tensor, features_known: Tensor, symbols: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the feature loss, the symbol loss and the share of symbols guessed, over the frames that are known."""
    predicted, scores = heads(content)
    known = symbols >= 0
    feature = ((predicted.float() - features).abs().mean(-1) * features_known).sum() / features_known.sum().clamp(min=1)
    symbol = functional.cross_entropy(scores.float().flatten(0, 1), symbols.flatten(), ignore_index=-1)
    guessed = ((scores.argmax(-1) == symbols) & known).sum() / known.sum().clamp(min=1)
    return feature, torch.nan_to_num(symbol), guessed
