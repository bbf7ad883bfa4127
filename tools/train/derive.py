"""Add to a corpus what can be computed from it: each clip's spectrum as a voice, and the teacher's features, reduced.

usage: python -m tools.train.derive CORPUS_DIR [SPEAKER.pt]

With SPEAKER.pt also what our own speaker encoder makes of each clip: what the decoder will be given in use.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from rich.progress import track

from vcfx_models import geometry as grid
from vcfx_models.networks.speaker_encoder import SpeakerEncoder
from vcfx_models.voice_vector import spectrum_of_voice

from .batches import Corpus
from .compute_device import in_bfloat16
from .corpus_files import save_array
from .front_end import PAST_SAMPLES, log_mel, power_frames, warped_filterbank

#: More speech than this changes the mean spectrum little.
MOST_SECONDS = 8.0


def spectra_of_clips(folder: Path) -> np.ndarray:
    """Return (clips, 160): `spectrum_of_voice` of every clip."""
    audio = np.load(folder / "audio.npy", mmap_mode="r")
    filterbank = warped_filterbank(1.0)
    with (folder / "clips.tsv").open() as table:
        clips = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    spectra = np.zeros((len(clips), 2 * grid.N_MELS), np.float32)
    for index, clip in enumerate(track(clips, "spectra")):
        frames = min(int(clip["frames"]), int(MOST_SECONDS * grid.SAMPLE_RATE))
        hops = max(frames // grid.HOP_SAMPLES, 1)
        padded = np.zeros(PAST_SAMPLES + hops * grid.HOP_SAMPLES, np.float32)
        part = audio[int(clip["start"]) : int(clip["start"]) + min(frames, hops * grid.HOP_SAMPLES)]
        padded[PAST_SAMPLES : PAST_SAMPLES + part.size] = part / 32768.0
        mel = log_mel(power_frames(torch.from_numpy(padded)[None]), filterbank)[0].numpy()
        spectra[index] = spectrum_of_voice(mel)
    return spectra


def reduced_features(folder: Path) -> np.ndarray:
    """Return (tokens, 128) float16: the teacher's features on the axes of their variance."""
    features = np.load(folder / "content" / "token_features.npy", mmap_mode="r")
    axes = np.load(folder / "content" / "pca.npz")
    out = np.empty((features.shape[0], axes["components"].shape[0]), np.float16)
    for first in range(0, features.shape[0], 20_000):
        part = features[first : first + 20_000].astype(np.float32) - axes["mean"]
        out[first : first + 20_000] = part @ axes["components"].T / axes["scale"]
    return out


@torch.no_grad()
def embeddings_of_clips(folder: Path, weights: Path) -> np.ndarray:
    """Return (clips, 256): our own speaker encoder's embedding of every clip."""
    network, filterbank = SpeakerEncoder(), warped_filterbank(1.0)
    network.load_state_dict(torch.load(weights, weights_only=True))
    corpus = Corpus(folder)
    out = np.zeros((len(corpus.clips), grid.EMBEDDING_SIZE), np.float32)
    for index in track(range(len(corpus.clips)), "embeddings"):
        hops = min(int(corpus.frames[index]), int(MOST_SECONDS * grid.SAMPLE_RATE)) // grid.HOP_SAMPLES
        audio = corpus.samples(index, -PAST_SAMPLES, PAST_SAMPLES + hops * grid.HOP_SAMPLES)
        mel = log_mel(power_frames(torch.from_numpy(audio)[None]), filterbank)
        with in_bfloat16():
            out[index] = network(mel)[0].float().numpy()
    return out


def main() -> None:
    """Compute what is missing."""
    folder = Path(sys.argv[1])
    if not (folder / "content" / "token_pca.npy").exists():
        save_array(folder / "content" / "token_pca.npy", reduced_features(folder))
    if not (folder / "spectrum.npy").exists():
        save_array(folder / "spectrum.npy", spectra_of_clips(folder))
    if len(sys.argv) > 2:
        save_array(folder / "embedding.npy", embeddings_of_clips(folder, Path(sys.argv[2])))


if __name__ == "__main__":
    main()
