"""Train the estimator of the mark's detector: ``python -m tools.train.train_watermark --corpus DATA/real --out FILE``.

Speech of the speakers that tools/evaluate_watermark.py does not use is marked with random patterns, harmed, and looked
at through the detector's own levels. The network learns to make the score of the true pattern high: the loss is that
score itself, strong ones counting less, so that hard conditions matter. The shipped file was made like this from
1 600 pieces, all bands moved alike, in 1 100 steps of 16 in three goes (the rate rose and fell anew in each).
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tools.evaluation.corpus import read_clip, read_manifest
from tools.evaluation.sound import Sound
from tools.evaluation.watermark_attacks import harmed
from tools.evaluation.watermark_material import is_for_tests, is_loud_enough
from vcfx_dsp.core.watermark_layout import BANDS, SLOT_S, SLOTS, TRANSITION_S
from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.nodes.watermark import Watermark
from vcfx_dsp.watermark.estimator import DILATIONS, LEVEL_SCALE
from vcfx_dsp.watermark.key import WatermarkKey
from vcfx_dsp.watermark.levels import HOP_S, band_levels, frame_spectra
from vcfx_dsp.watermark.pattern import pattern_of

SECONDS: Final = 1.92
FRAMES: Final = round(SECONDS / HOP_S) + 1
CHANNELS: Final = 12
KERNELS: Final = ((9, 5), (5, 3), (3, 3))
BATCH: Final = 16
STRONGEST_SCORE: Final = 12.0
STRENGTHS_DB: Final = (1.3, 2.5)
#: The detector's pitches are tried this far apart.
LARGEST_RATIO_ERROR: Final = 0.0125


class Estimator(nn.Module):
    """The network of `vcfx_dsp.watermark.estimator`."""

    def __init__(self) -> None:
        super().__init__()
        widths = (2, CHANNELS, CHANNELS, 1)
        self.layers = nn.ModuleList(
            nn.Conv2d(
                widths[index],
                widths[index + 1],
                kernel,
                dilation=(DILATIONS[index], 1),
                padding=(kernel[0] // 2 * DILATIONS[index], kernel[1] // 2),
            )
            for index, kernel in enumerate(KERNELS)
        )

    def forward(self, levels: Tensor) -> Tensor:
        """Return evidence for levels, both (batch, frames, bands)."""
        places = torch.linspace(-1.0, 1.0, BANDS).expand_as(levels)
        layer = torch.stack([levels * LEVEL_SCALE, places], dim=1)  # (B, 2, T, bands)
        for index, convolution in enumerate(self.layers):
            layer = convolution(torch.relu(layer) if index else layer)
        return layer[:, 0]


def tile_windows() -> Tensor:
    """Return the course of each slot's gain over the frames, (SLOTS, FRAMES)."""
    begins = np.arange(SLOTS)[:, None] * SLOT_S
    since = np.arange(FRAMES) * HOP_S - begins
    rise, fall = (np.clip((since - after) / TRANSITION_S, 0.0, 1.0) for after in (0.0, SLOT_S))
    return torch.tensor(rise * rise * (3 - 2 * rise) - fall * fall * (3 - 2 * fall), dtype=torch.float32)


def scores(evidence: Tensor, tiles: Tensor, windows: Tensor) -> Tensor:
    """Return each piece's score under its true pattern."""
    sums = torch.einsum("st,btk->bsk", windows, evidence)
    return (sums * tiles).sum((1, 2)) / torch.sqrt(sums.square().sum((1, 2)) + 1e-9)


def training_pieces(corpus: Path, count: int, rng: np.random.Generator) -> Iterator[Sound]:
    """Yield loud pieces of the training speakers; sets take turns."""
    by_set: dict[str, list[int]] = {}
    clips = [clip for clip in read_manifest(corpus) if not is_for_tests(clip) and clip.seconds > SECONDS + 0.1]
    for index, clip in enumerate(clips):
        by_set.setdefault(clip.set, []).append(index)
    names = sorted(by_set)
    found = 0
    while found < count:
        of_set = by_set[names[int(rng.integers(len(names)))]]
        sound = read_clip(corpus, clips[of_set[int(rng.integers(len(of_set)))]])
        frames = round(SECONDS * sound.sample_rate)
        start = int(rng.integers(sound.audio.size - frames + 1)) if sound.audio.size > frames else 0
        piece = Sound(sound.audio[start : start + frames], sound.sample_rate)
        if is_loud_enough(piece):
            found += 1
            yield piece


def marked_levels(piece: Sound, seed: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.float32], Tensor]:
    """Mark under a key of its own, harm, and return levels and true tiles."""
    secret = hashlib.sha256(f"training {seed}".encode()).digest()
    node = Watermark(strength_db=float(rng.uniform(*STRENGTHS_DB)), key=secret.hex())
    node.prepare(ProcessSpec(piece.sample_rate, piece.audio.size, 1))
    out = np.empty((1, piece.audio.size), np.float32)
    node.process(np.ascontiguousarray(piece.audio[None]), out)
    sound = harmed(Sound(out[0], piece.sample_rate), rng)
    spectra = frame_spectra(sound.audio, sound.sample_rate)
    ratio = 1.0 + float(rng.uniform(-LARGEST_RATIO_ERROR, LARGEST_RATIO_ERROR))
    levels = np.zeros((FRAMES, BANDS), np.float32)
    heard = band_levels(spectra, sound.sample_rate, ratio)[:FRAMES]
    levels[: len(heard)] = heard
    return levels, torch.tensor(pattern_of(WatermarkKey(secret)).tiles(0), dtype=torch.float32)


def train(levels: Tensor, tiles: Tensor, steps: int) -> Estimator:
    """Fit the network."""
    torch.manual_seed(0)
    network, windows = Estimator(), tile_windows()
    optimiser = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, steps + 1)
    for step in range(steps):
        chosen = torch.randint(0, len(levels), (BATCH,))
        score = scores(network(levels[chosen]), tiles[chosen], windows)
        loss = -(score / (1.0 + score.clamp(min=0.0) / STRONGEST_SCORE)).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            print(f"step {step}: mean score {float(score.detach().mean()):.2f}", flush=True)
    return network


def save(network: Estimator, path: Path) -> None:
    """Write the file that the detector reads: half precision, no pickle."""
    arrays: dict[str, npt.NDArray[np.float16]] = {}
    for index, layer in enumerate(network.layers):
        weight, bias = layer.get_parameter("weight").detach(), layer.get_parameter("bias").detach()
        arrays[f"kernel{index}"] = weight.permute(2, 3, 1, 0).numpy().astype(np.float16)
        arrays[f"bias{index}"] = bias.numpy().astype(np.float16)
    temporary = path.with_name(f"{path.stem}.part.npz")
    np.savez(temporary, **arrays)  # type: ignore[arg-type]  # numpy's stubs take the arrays for its flag
    temporary.replace(path)


def main() -> None:
    """Make pieces, train, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with MANIFEST.tsv and one tar per set")
    parser.add_argument("--out", type=Path, required=True, help="the .npz file")
    parser.add_argument("--count", type=int, default=1_600, help="how many pieces")
    parser.add_argument("--steps", type=int, default=1_100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    pieces = training_pieces(options.corpus, options.count, rng)
    made = [marked_levels(piece, index, rng) for index, piece in enumerate(pieces)]
    levels = torch.tensor(np.stack([level for level, _ in made]))
    save(train(levels, torch.stack([tiles for _, tiles in made]), options.steps), options.out)


if __name__ == "__main__":
    main()
