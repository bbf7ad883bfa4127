"""Train the speaker encoder to give GE2E's embeddings.

usage: python -m tools.train.train_speaker CORPUS_DIR RUN_DIR [--steps 2500]

Every twentieth speaker is held out; the log shows their mean cosine to GE2E beside the training speakers'.
"""

from __future__ import annotations

import argparse
import math
import os
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vcfx_models import geometry as grid
from vcfx_models.networks.speaker_encoder import SpeakerEncoder

from .batches import Corpus, in_a_room
from .compute_device import in_bfloat16
from .front_end import PAST_SAMPLES, log_mel, power_frames, warped_filterbank


class ClipDraws:
    """Draws crops of clips with the GE2E embedding of the whole clip."""

    def __init__(self, corpus: Corpus, held_out: bool) -> None:
        self.corpus = corpus
        self.filterbank = warped_filterbank(1.0)
        chosen: dict[str, list[int]] = {}
        for index, clip in enumerate(corpus.clips):
            speaker = f"{clip['set']}/{clip['speaker'] or clip['voice']}"
            fits = clip["split"] == "train" and corpus.frames[index] > 1.6 * grid.SAMPLE_RATE
            if fits and (zlib.crc32(speaker.encode()) % 20 == 0) == held_out:
                chosen.setdefault(speaker, []).append(index)
        self.speakers = list(chosen.values())

    def draw(self, rng: np.random.Generator, size: int, seconds: float, spoil: bool) -> tuple[Tensor, Tensor]:
        """Return log-mel (size, frames, 80) and embeddings (size, 256)."""
        hops = int(seconds * grid.SAMPLE_RATE) // grid.HOP_SAMPLES
        audio, wanted = [], []
        for _ in range(size):
            clips = self.speakers[int(rng.integers(len(self.speakers)))]
            clip = clips[int(rng.integers(len(clips)))]
            audio.append(self._crop(rng, clip, PAST_SAMPLES + hops * grid.HOP_SAMPLES, spoil))
            wanted.append(self.corpus.ge2e[clip])
        mel = log_mel(power_frames(torch.from_numpy(np.stack(audio))), self.filterbank)
        return mel, torch.from_numpy(np.stack(wanted))

    def _crop(self, rng: np.random.Generator, clip: int, count: int, spoil: bool) -> npt.NDArray[np.float32]:
        corpus = self.corpus
        frames = int(corpus.frames[clip])
        first = int(rng.integers(0, max(frames - count, 1)))
        crop = corpus.samples(clip, first, count)
        if frames < count:  # short clips are repeated
            crop = np.resize(corpus.samples(clip, 0, frames), count)
        if spoil:
            crop = crop * np.float32(10.0 ** (rng.uniform(-4.0, 4.0) / 20.0))
            if rng.random() < 0.2:
                crop = in_a_room(rng, crop)
            if rng.random() < 0.3:
                place = int(rng.integers(0, corpus.noise.size - count))
                noise = corpus.noise[place : place + count].astype(np.float32) / 32768.0
                ratio = 10.0 ** (rng.uniform(10.0, 40.0) / 20.0)
                crop = crop + noise * np.float32(np.std(crop) / (np.std(noise) + 1e-6) / ratio)
        return np.asarray(crop, np.float32)


def main() -> None:
    """Train and save `speaker.pt`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    torch.manual_seed(5)
    torch.set_num_threads(chosen.threads)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    corpus = Corpus(chosen.corpus)
    training, held_out = ClipDraws(corpus, held_out=False), ClipDraws(corpus, held_out=True)
    print(f"{len(training.speakers)} speakers, {len(held_out.speakers)} held out", flush=True)
    network = SpeakerEncoder()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.02)
    for step in range(chosen.steps):
        rng = np.random.default_rng([9, step])
        share = step / chosen.steps
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * min((step + 1) / 200, 0.03 + 0.97 * 0.5 * (1.0 + math.cos(math.pi * share)))
        mel, wanted = training.draw(rng, 32, float(rng.uniform(1.6, 4.0)), spoil=True)
        with in_bfloat16():
            given = network(mel)
        loss = 1.0 - (given.float() * wanted).sum(1).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % 100 == 0:
            print(
                {"step": step + 1, "cosine": round(1 - float(loss), 4), "held_out": _check(network, held_out)},
                flush=True,
            )
            torch.save(network.state_dict(), chosen.folder / "speaker.part")
            os.replace(chosen.folder / "speaker.part", chosen.folder / "speaker.pt")


@torch.no_grad()
def _check(network: SpeakerEncoder, draws: ClipDraws) -> float:
    mel, wanted = draws.draw(np.random.default_rng(1), 128, 4.0, spoil=False)
    with in_bfloat16():
        return round(float((network(mel).float() * wanted).sum(1).mean()), 4)


if __name__ == "__main__":
    main()
