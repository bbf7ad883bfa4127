"""Recordings first spoken by another voice, so that the converter learns the way back to the real one.

Nobody recorded the same words twice in two voices with the same timing; the converter itself, as far as it has come,
makes such pairs: what it hears is its own work, what it must say is a person's recording.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from vcfx_models.networks.content_encoder import ContentEncoder

from .batches import HIGHEST_HZ, LOWEST_HZ, Batch
from .heard_again import HOPS_BEFORE, mel_heard_again


class _Speaking(Protocol):
    encoder: ContentEncoder

    def speak(self, content: Tensor, prosody: Tensor, voice: Tensor, f0_hz: Tensor) -> Tensor: ...


@torch.no_grad()
def convert_inputs(converter: _Speaking, batch: Batch) -> None:
    """Replace the input of every "back" by the converter's rendering in the voice of the next one; in place."""
    chosen = torch.nonzero(batch.is_back)[:, 0]
    if chosen.numel() < 2:
        return
    voices = chosen.roll(1)
    log_f0 = batch.prosody[:, :, 0].mean((1, 2))
    shift = log_f0[voices] - log_f0[chosen]
    prosody = batch.prosody[chosen].clone()
    prosody[:, :, 0] += shift[:, None, None]
    f0_hz = (batch.f0_hz[chosen] * shift.exp()[:, None]).clamp(LOWEST_HZ, HIGHEST_HZ)
    content, _ = converter.encoder(batch.mel[chosen], converter.encoder.empty_memory(chosen.numel()))
    spoken = converter.speak(content, prosody, batch.voice[voices], f0_hz)
    batch.mel[chosen] = _as_heard(spoken, batch.mel[chosen])


def _as_heard(spoken: Tensor, mel: Tensor) -> Tensor:
    """Return the mel frames of what was spoken; the last hops, which were not spoken yet, stay as they were."""
    heard = mel_heard_again(spoken)[:, HOPS_BEFORE:]
    return torch.cat([heard, mel[:, heard.shape[1] :]], dim=1)
