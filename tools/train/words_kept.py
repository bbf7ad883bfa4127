"""Holds a swapped voice to its words: what was spoken must sound to the encoder like what was heard."""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor
from torch.nn import functional

from vcfx_models.networks.content_encoder import ContentEncoder

from .compute_device import in_bfloat16
from .heard_again import HOPS_BEFORE, mel_heard_again
from .losses import ContentHeads

#: The encoder hears the spoken part without a past: its first guesses do not count.
DEAF_HOPS = 24


class _Hearing(Protocol):
    encoder: ContentEncoder
    heads: ContentHeads


class WordsKept:
    """Cross-entropy between the symbols heard in the source and those heard in what was made of it.

    Symbols and not content are compared: content may carry a little of the source's voice, which must not come back.

    Parameters
    ----------
    hearing
        The averaged networks; their weights get no gradient.
    past_hops
        Hops of content before the first one that was spoken.
    """

    def __init__(self, hearing: object, past_hops: int) -> None:
        self.hearing, self.past_hops = cast(_Hearing, hearing), past_hops

    def __call__(self, spoken: Tensor, content: Tensor) -> Tensor:
        """Compare (batch, samples) with the source's (batch, hops, 64) content."""
        mel = mel_heard_again(spoken)
        first = self.past_hops - HOPS_BEFORE
        with in_bfloat16():
            again, _ = self.hearing.encoder(mel, self.hearing.encoder.empty_memory(spoken.shape[0]))
            heard = self.hearing.heads(again[:, DEAF_HOPS:])[1].float()
            with torch.no_grad():
                wanted = self.hearing.heads(content[:, first + DEAF_HOPS : first + mel.shape[1]])[1].float().softmax(-1)
        return -(wanted * functional.log_softmax(heard, dim=-1)).sum(-1).mean()
