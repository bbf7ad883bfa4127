"""Holds what is spoken to its words by a recogniser's ears, which are keener than those of our own encoder."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from .compute_device import in_bfloat16
from .recogniser import Recogniser

#: The recogniser hears every second hop; its first frame's middle lies in the crop's second hop.
HOPS_A_FRAME, FIRST_HOP = 2, 1
#: Frames at both ends of a crop, where the recogniser lacks what was before and comes after.
EDGE_FRAMES = 4


class SymbolHead(nn.Module):
    """Which symbol is being spoken, from what the recogniser hears: little of who speaks is left in it."""

    def __init__(self, size: int, symbols: int, width: int = 256) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(size, width), nn.SiLU())
        self.symbols = nn.Linear(width, symbols)

    def forward(self, heard: Tensor) -> Tensor:
        """Return scores."""
        scores: Tensor = self.symbols(self.inner(heard))
        return scores


class WordsRecognised(nn.Module):
    """Distances between what was spoken and what should have been, or what its source said.

    A converter trained with this is flattered by the same recogniser: judge its words by another.

    Parameters
    ----------
    recogniser
        ``model.bin`` of a Whisper in CTranslate2's form.
    head
        What `train_symbol_head` wrote.
    """

    def __init__(self, recogniser: Path, head: Path) -> None:
        super().__init__()
        self.recogniser = Recogniser(recogniser)
        state = torch.load(head, weights_only=True, map_location=torch.get_default_device())
        symbols, width = state["symbols.weight"].shape
        self.head = SymbolHead(state["inner.0.weight"].shape[1], symbols, width)
        self.head.load_state_dict(state)
        self.requires_grad_(False)

    def forward(self, spoken: Tensor, target: Tensor, is_swap: Tensor) -> dict[str, Tensor]:
        """Compare (batch, samples) with (batch, samples).

        Returns
        -------
        dict
            "sound", 1 - cosine of what is heard, over the clips that have their target's voice; "swap_sound", the same
            over the swaps, where what is heard may differ a little as voices differ; "recognised", the cross-entropy
            of the symbols heard in the swaps.
        """
        inner = slice(EDGE_FRAMES, -EDGE_FRAMES)
        ours = self.recogniser.hear(spoken)[:, inner]
        with torch.no_grad():
            theirs = self.recogniser.hear(target)[:, inner]
        apart = 1.0 - functional.cosine_similarity(ours, theirs, dim=-1).mean(1)
        distances = {"sound": apart[~is_swap].mean()}
        if bool(is_swap.any()):
            with in_bfloat16():
                guessed = self.head(ours[is_swap]).float().log_softmax(-1)
                wanted = self.head(theirs[is_swap]).float().softmax(-1)
            distances |= {"swap_sound": apart[is_swap].mean(), "recognised": -(wanted * guessed).sum(-1).mean()}
        return distances
