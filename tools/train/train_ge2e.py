"""Train a speaker encoder by the GE2E loss: GE2E itself, or the program's own encoder.

usage: python -m tools.train.train_ge2e RUN.toml CORPUS_DIR RUN_DIR [--start WEIGHTS] [--minutes M] [--threads N]

Resumes from RUN_DIR/last.pt; Ctrl-C saves first. Batch n is the same in every run with the same seed. What came out is
RUN_DIR/ge2e.safetensors or RUN_DIR/student.safetensors; log.jsonl shows the loss of training and of held-out speakers.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from .batches import Corpus
from .ge2e_draws import SpeakerDraws, Spoiling
from .ge2e_hearers import make_hearer
from .ge2e_loss import Ge2eLoss, centroid_cosines
from .learning_rate import learning_rate

CHECK_EVERY, CHECKS = 50, 4
MOST_NORM = 3.0


class Training:
    """A run: network, loss, optimiser, place in the schedule."""

    def __init__(self, config: dict[str, Any], corpus_folder: Path, folder: Path, start: Path | None) -> None:
        self.config, self.folder, self.step = config, folder, 0
        torch.manual_seed(config["seed"])
        corpus = Corpus(corpus_folder)
        self.draws = SpeakerDraws(corpus, corpus_folder, config["seed"], held_out=False)
        self.checks = SpeakerDraws(corpus, corpus_folder, config["seed"] + 1, held_out=True)
        self.spoiling = Spoiling(**config["spoiling"])
        kept = {"": None, "student": corpus.embedding, "ge2e": corpus.ge2e}
        self.anchors = kept[config["anchor"]["to"]]
        self.hearer = make_hearer(config["network"], start)
        self.loss = Ge2eLoss(config["contrast"])
        self.trained = [*self.hearer.parameters(), *self.loss.parameters()]
        self.optimiser = torch.optim.AdamW(self.trained, lr=config["schedule"]["peak"], weight_decay=0.01)
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "last.pt").exists():
            state = torch.load(folder / "last.pt", weights_only=True)
            self.step = state["step"]
            for name, part in self._parts().items():
                part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {"network": self.hearer.network, "loss": self.loss, "optimiser": self.optimiser}

    def save(self) -> None:
        """Write everything needed to go on, and the weights alone."""
        state = {name: part.state_dict() for name, part in self._parts().items()}
        torch.save(state | {"step": self.step}, self.folder / "last.part")
        os.replace(self.folder / "last.part", self.folder / "last.pt")
        weights = {name: value.detach().contiguous() for name, value in self.hearer.network.state_dict().items()}
        part, target = self.folder / "weights.part", self.folder / f"{self.config['network']}.safetensors"
        save_file(weights, part, {"step": str(self.step), "config": json.dumps(self.config)})
        os.replace(part, target)

    def train_step(self) -> dict[str, float]:
        """Take one step and return what to log."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.config["schedule"], self.step)
        loss, terms = self._judged(self.draws, self.step, self.spoiling)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, MOST_NORM)
        self.optimiser.step()
        self.step += 1
        return terms

    @torch.no_grad()
    def check(self) -> dict[str, float]:
        """Return the mean terms over batches of held-out speakers, with noise that training does not have."""
        found = [self._judged(self.checks, number, self.spoiling)[1] for number in range(CHECKS)]
        return {f"held_out_{name}": round(float(np.mean([one[name] for one in found])), 4) for name in found[0]}

    def _judged(self, draws: SpeakerDraws, number: int, spoiling: Spoiling) -> tuple[Tensor, dict[str, float]]:
        config = self.config
        low, high = config["seconds"]
        seconds = float(np.random.default_rng([config["seed"], number, 1]).uniform(low, high))
        crops, clips = draws.draw(number, config["speakers"], config["utterances"], seconds, spoiling)
        heard = self.hearer(torch.from_numpy(crops))
        grouped = heard.view(config["speakers"], config["utterances"], -1)
        loss = self.loss(grouped)
        with torch.no_grad():
            nearest = centroid_cosines(grouped).argmax(2)
            right = (nearest == torch.arange(len(grouped))[:, None]).float().mean()
        terms = {"loss": float(loss.detach()), "right": float(right)}
        if self.anchors is not None:
            kept = (heard * torch.from_numpy(self.anchors[clips])).sum(1).mean()
            terms["kept"] = float(kept.detach())
            loss = loss + config["anchor"]["weight"] * (1.0 - kept)
        return loss, terms


def run(training: Training, minutes: float) -> None:
    """Train until the schedule or the time is over."""
    began = time.monotonic()
    recent: list[dict[str, float]] = []
    with (training.folder / "log.jsonl").open("a", encoding="utf-8") as log:
        while training.step < training.config["schedule"]["steps"] and time.monotonic() - began < 60.0 * minutes:
            recent.append(training.train_step())
            if training.step % CHECK_EVERY == 0:
                means = {name: round(float(np.mean([one[name] for one in recent])), 4) for name in recent[0]}
                took = {"step": training.step, "seconds": round(time.monotonic() - began)}
                log.write(json.dumps(took | means | training.check()) + "\n")
                log.flush()
                recent = []
                training.save()


def main() -> None:
    """Read the command line, train, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--start", type=Path, help="weights to begin with (default: random)")
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    training = Training(tomllib.loads(chosen.config.read_text()), chosen.corpus, chosen.folder, chosen.start)
    print(f"{len(training.draws.speakers)} speakers, {len(training.checks.speakers)} held out", flush=True)
    try:
        run(training, chosen.minutes)
    finally:
        training.save()


if __name__ == "__main__":
    main()
