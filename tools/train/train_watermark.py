"""Train the estimator of the mark: ``python -m tools.train.train_watermark --corpus DATA/real --out FOLDER``.

The network learns to make the score of the true pattern high: the loss is that score itself, strong ones counting
less, so that hard conditions matter. The shipped file is what this makes with its defaults, on one busy core in a
quarter of an hour. Interrupted, it goes on where it was; the folder holds ``examples/``, ``last.pt`` and in the end
``estimator.npz``, which belongs beside `vcfx_dsp.watermark.estimator`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tools.train.learning_rate import learning_rate
from tools.train.watermark_examples import Examples, load_examples
from vcfx_dsp.core.watermark_layout import SLOT_S, SLOTS, TRANSITION_S
from vcfx_dsp.watermark.estimator import DILATIONS
from vcfx_dsp.watermark.levels import HOP_S

WIDTHS: Final = (3, 16, 16, 1)
KERNELS: Final = ((9, 5), (7, 3), (5, 3))
BATCH: Final = 16
STRONGEST_SCORE: Final = 8.0
PEAK_RATE: Final = 6e-3
WARMUP_STEPS: Final = 100
SAVE_EVERY: Final = 100
#: Of the examples, these many are not learned from: the score on them tells how it goes.
KEPT_BACK: Final = 160


class Estimator(nn.Module):
    """The network of `vcfx_dsp.watermark.estimator`."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(
                WIDTHS[index],
                WIDTHS[index + 1],
                kernel,
                dilation=(DILATIONS[index], 1),
                padding=(kernel[0] // 2 * DILATIONS[index], kernel[1] // 2),
            )
            for index, kernel in enumerate(KERNELS)
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it; twice as fast

    def forward(self, inputs: Tensor) -> Tensor:
        """Return evidence (batch, frames, bands) for inputs (batch, frames, bands, 3)."""
        layer = inputs.permute(0, 3, 1, 2)
        for index, convolution in enumerate(self.layers):
            layer = convolution(torch.relu(layer) if index else layer)
        return layer[:, 0]


def tile_windows(frames: int) -> Tensor:
    """Return the course of each slot's gain over the frames, (SLOTS, frames)."""
    begins = np.arange(SLOTS)[:, None] * SLOT_S
    since = np.arange(frames) * HOP_S - begins
    rise, fall = (np.clip((since - after) / TRANSITION_S, 0.0, 1.0) for after in (0.0, SLOT_S))
    return torch.tensor(rise * rise * (3 - 2 * rise) - fall * fall * (3 - 2 * fall), dtype=torch.float32)


def scores(evidence: Tensor, tiles: Tensor, windows: Tensor) -> Tensor:
    """Return each piece's score under its true pattern."""
    sums = torch.einsum("st,btk->bsk", windows, evidence)
    return (sums * tiles).sum((1, 2)) / torch.sqrt(sums.square().sum((1, 2)) + 1e-9)


class Training:
    """The network, and all that is needed to go on."""

    def __init__(self, examples: Examples, steps: int, checkpoint: Path) -> None:
        torch.manual_seed(0)
        self._inputs, self._tiles = (torch.from_numpy(array) for array in examples)
        self._windows = tile_windows(self._inputs.shape[1])
        self._schedule = {"peak": PEAK_RATE, "warmup": WARMUP_STEPS, "steps": steps}
        self._checkpoint = checkpoint
        self.network, self.done = Estimator(), 0
        self._optimiser = torch.optim.Adam(self.network.parameters())
        if checkpoint.exists():
            state = torch.load(checkpoint, weights_only=True)
            self.network.load_state_dict(state["network"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.done = state["done"]

    def step(self) -> None:
        """Learn from one batch, which the step's number alone decides."""
        draw = torch.Generator().manual_seed(self.done)
        chosen = torch.randint(KEPT_BACK, len(self._inputs), (BATCH,), generator=draw)
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate(self._schedule, self.done)
        score = scores(self.network(self._inputs[chosen]), self._tiles[chosen], self._windows)
        loss = -(score / (1.0 + score.clamp(min=0.0) / STRONGEST_SCORE)).mean()
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimiser.step()
        self.done += 1

    def save(self) -> None:
        """Write the checkpoint, and say how the examples kept back score."""
        with torch.no_grad():
            kept = [
                scores(self.network(some), tiles, self._windows)
                for some, tiles in zip(
                    self._inputs[:KEPT_BACK].split(BATCH), self._tiles[:KEPT_BACK].split(BATCH), strict=True
                )
            ]
        score = torch.cat(kept)
        weak = float(torch.quantile(score, 0.25))
        print(f"step {self.done}: mean score {float(score.mean()):.2f}, a quarter below {weak:.2f}", flush=True)
        state = {"network": self.network.state_dict(), "optimiser": self._optimiser.state_dict(), "done": self.done}
        temporary = self._checkpoint.with_suffix(".part")
        torch.save(state, temporary)
        temporary.replace(self._checkpoint)


def save_weights(network: Estimator, path: Path) -> None:
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
    """Make examples, train, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with MANIFEST.tsv and one tar per set")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--count", type=int, default=3_200, help="how many examples")
    parser.add_argument("--steps", type=int, default=2_400)
    options = parser.parse_args()
    torch.set_num_threads(1)
    (options.out / "examples").mkdir(parents=True, exist_ok=True)
    examples = load_examples(options.corpus, options.count, options.out / "examples")
    training = Training(examples, options.steps, options.out / "last.pt")
    while training.done < options.steps:
        training.step()
        if training.done % SAVE_EVERY == 0 or training.done == options.steps:
            training.save()
    save_weights(training.network, options.out / "estimator.npz")


if __name__ == "__main__":
    main()
