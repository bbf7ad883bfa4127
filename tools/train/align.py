"""Lay transcripts along recordings with a half-trained encoder: which symbol is spoken when.

usage: python -m tools.train.align CORPUS_DIR RUN_DIR

Writes CORPUS_DIR/aligned.npy (symbol at every 240th sample, -1 unknown) and aligned_start.npy (-1: none), which
`batches.Corpus` then uses for clips whose timing nobody gave.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numba
import numpy as np
import numpy.typing as npt
import torch
from rich.progress import track

from vcfx_models import geometry as grid

from .batches import Corpus
from .compute_device import in_bfloat16
from .corpus_files import save_array
from .front_end import PAST_SAMPLES, log_mel, power_frames, warped_filterbank
from .train_converter import Converter

#: An alignment whose mean log probability a frame is lower is left out: the words were probably not these.
LEAST_MEAN_LOG = -1.95
#: The encoder's frame i speaks of sample 240 * (i - 2).
LATE_FRAMES = 2


@numba.njit(cache=False)
def best_path(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Return for each frame the index of its token: rises from 0 to the last by steps of 0 or 1 (Viterbi).

    Parameters
    ----------
    scores
        (frames, tokens) log probabilities of the tokens of a transcript, in order.
    """
    frames, tokens = scores.shape
    total = np.full(tokens, -np.inf)
    total[0] = scores[0, 0]
    moved = np.zeros((frames, tokens), np.bool_)
    for frame in range(1, frames):
        for token in range(min(frame, tokens - 1), -1, -1):
            stay, come = total[token], total[token - 1] if token > 0 else -np.inf
            moved[frame, token] = come > stay
            total[token] = max(stay, come) + scores[frame, token]
    path = np.empty(frames, np.int64)
    token = tokens - 1
    for frame in range(frames - 1, -1, -1):
        path[frame] = token
        if moved[frame, token]:
            token -= 1
    return path


@torch.no_grad()
def symbol_scores(model: Converter, audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return (hops, symbols) log probabilities."""
    hops = -(-audio.size // grid.HOP_SAMPLES) + LATE_FRAMES
    padded = np.zeros(PAST_SAMPLES + hops * grid.HOP_SAMPLES, np.float32)
    padded[PAST_SAMPLES : PAST_SAMPLES + audio.size] = audio
    mel = log_mel(power_frames(torch.from_numpy(padded)[None]), warped_filterbank(1.0))
    with in_bfloat16():
        content, _ = model.encoder(mel, model.encoder.empty_memory(1))
        _, scores = model.heads(content)
    return torch.log_softmax(scores[0].float(), dim=1)[LATE_FRAMES:].numpy()


def main() -> None:
    """Align every clip that has a transcript and no timing."""
    torch.set_num_threads(1)
    folder, run = Path(sys.argv[1]), Path(sys.argv[2])
    corpus, state = Corpus(folder), torch.load(run / "last.pt", weights_only=True)
    model = Converter(json.loads(state["config"]))
    model.load_state_dict(state["average"])
    tokens = np.load(folder / "tokens.npy")
    pieces, starts, place, doubted = [], np.full(len(corpus.clips), -1, np.int64), 0, 0
    for index, clip in enumerate(track(corpus.clips, "aligning")):
        if int(clip["tokens_count"]) == 0 or int(clip["content_start"]) >= 0 or clip["split"] != "train":
            continue
        first = int(clip["tokens_start"])
        spoken = np.concatenate([[0], tokens[first : first + int(clip["tokens_count"])], [0]]).astype(np.int64)
        audio = corpus.samples(index, 0, int(corpus.frames[index]))
        scores = symbol_scores(model, audio)[:, spoken]
        if scores.shape[0] < spoken.size:
            continue
        path = best_path(np.ascontiguousarray(scores))
        if float(scores[np.arange(path.size), path].mean()) < LEAST_MEAN_LOG:
            doubted += 1
            continue
        starts[index], place = place, place + path.size
        pieces.append(spoken[path].astype(np.int16))
    print(f"aligned {len(pieces)} clips, doubted {doubted}")
    save_array(folder / "aligned.npy", np.concatenate(pieces))
    save_array(folder / "aligned_start.npy", starts)


if __name__ == "__main__":
    main()
