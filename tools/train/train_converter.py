"""Train the voice converter: content encoder and decoder together, through the vocoder.

usage: python -m tools.train.train_converter RUN.toml CORPUS_DIR RUN_DIR [--steps N] [--start WEIGHTS.safetensors]
           [--ge2e PRETRAINED.pt] [--recogniser MODEL.bin]

Resumes from RUN_DIR/last.pt; Ctrl-C saves first. Batch n is the same in every run with the same seed. With
RUN_DIR/speaker.pt (from `train_speaker`) who speaks is judged too, with --recogniser and RUN_DIR/words.pt (from
`train_symbol_head`) what is said.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import signal
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from vcfx_models import geometry as grid
from vcfx_models.networks.content_encoder import ContentEncoder
from vcfx_models.networks.decoder import Decoder
from vcfx_models.networks.source_filter import SourceFilter

from .adversary import Claim, Judge, judge_losses, speaker_losses
from .back_conversion import convert_inputs
from .batches import Batch, BatchMaker, Corpus
from .compute_device import in_bfloat16, in_float32, on_device, use_device
from .harmonicity import voicing_apart
from .identity import IdentityLoss
from .learning_rate import learning_rate
from .losses import ContentHeads, content_losses, spectral_distance
from .teacher_identity import TeacherIdentity
from .words_kept import WordsKept
from .words_recognised import WordsRecognised

FEATURES, SYMBOLS = 128, 178
#: Hops at the start of a crop give the networks a past; the vocoder speaks only what follows, the loss skips its start.
PAST_HOPS, SKIPPED_HOPS = 50, 4
#: Nobody listens to a judge that has seen less.
JUDGE_ALONE_STEPS = 150


class Converter(nn.Module):
    """All that is trained to convert."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.encoder = ContentEncoder(**_shape(config["encoder"]))
        self.decoder = Decoder(**_shape(config["decoder"]))
        self.heads = ContentHeads(FEATURES, SYMBOLS)
        self.vocoder = SourceFilter()

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return audio of the hops after the first `PAST_HOPS`, and content."""
        content, _ = self.encoder(batch.mel, self.encoder.empty_memory(batch.mel.shape[0]))
        return self.speak(content, batch.prosody, batch.voice, batch.f0_hz, PAST_HOPS), content

    def speak(self, content: Tensor, prosody: Tensor, voice: Tensor, f0_hz: Tensor, past_hops: int = 0) -> Tensor:
        """Return audio of the hops after the first `past_hops`."""
        size, first = content.shape[0], past_hops * grid.SUBFRAMES
        films = self.decoder.colour(voice)
        harmonic, noise_log, _ = self.decoder(content, prosody, films, self.decoder.empty_memory(size))
        phase = torch.rand(size, 1) * 2.0 * math.pi
        noise = torch.randn(size, (content.shape[1] - past_hops) * grid.HOP_SAMPLES)
        with in_float32():
            spoken: Tensor = self.vocoder(f0_hz[:, first:], harmonic[:, first:], noise_log[:, first:], phase, noise)
        return spoken


def _judged(spoken: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return what was spoken and what should have been, without the start, where filters still fill."""
    skipped = SKIPPED_HOPS * grid.HOP_SAMPLES
    return spoken[:, skipped:], batch.target[:, PAST_HOPS * grid.HOP_SAMPLES + skipped :]


def _shape(config: dict[str, Any]) -> dict[str, Any]:
    return {"channels": config["channels"], "dilations": tuple(config["dilations"])}


class Training:
    """A run: networks, optimisers, place in the schedule."""

    def __init__(
        self,
        config: dict[str, Any],
        corpus: Corpus,
        folder: Path,
        ge2e: Path | None = None,
        recogniser: Path | None = None,
    ) -> None:
        self.config, self.folder = config, folder
        torch.manual_seed(config["seed"])
        self.model = Converter(config)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.judge = Judge()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)
        self.judge_optimiser = torch.optim.AdamW(self.judge.parameters(), lr=2e-4, betas=(0.5, 0.9))
        self.batches = BatchMaker(corpus, config["seed"], config["batch"], config["hops"], config["shares"])
        compared = {kind: share for kind, share in config["shares"].items() if kind not in ("swap", "back")}
        self.checks = BatchMaker(corpus, config["seed"] + 1, 32, config["hops"], compared, spoil=False)
        self.identity = IdentityLoss(folder / "speaker.pt") if (folder / "speaker.pt").exists() else None
        self.teacher = TeacherIdentity(ge2e) if ge2e is not None else None
        self.recognised = WordsRecognised(recogniser, folder / "words.pt") if recogniser is not None else None
        self.words_kept = WordsKept(self.average, PAST_HOPS)
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "last.pt").exists():
            self._load(torch.load(folder / "last.pt", weights_only=True, map_location=torch.get_default_device()))

    def _load(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        if "judge" in state:
            self.judge.load_state_dict(state["judge"])
            self.judge_optimiser.load_state_dict(state["judge_optimiser"])

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Begin with weights that `keep_weights` wrote."""
        full = {name: on_device(value.float()) for name, value in weights.items()}
        self.model.load_state_dict(full)
        self.average.load_state_dict(full)

    def save(self) -> None:
        """Write everything needed to go on, atomically."""
        parts = {"model": self.model, "average": self.average, "optimiser": self.optimiser}
        parts |= {"judge": self.judge, "judge_optimiser": self.judge_optimiser}
        state: dict[str, Any] = {name: part.state_dict() for name, part in parts.items()}
        torch.save(state | {"step": self.step, "config": json.dumps(self.config)}, self.folder / "last.part")
        os.replace(self.folder / "last.part", self.folder / "last.pt")

    def train_step(self) -> dict[str, float]:
        """Take one step and return what to log."""
        rate = learning_rate(self.config["schedule"], self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        torch.manual_seed(self.config["seed"] * 1_000_003 + self.step)
        batch = self.batches.batch(self.step)
        with in_bfloat16():
            convert_inputs(self.average, batch)
            spoken, content = self.model(batch)
        total, log = self._losses(batch, spoken, content)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        log["norm"] = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.config["clip"]))
        if math.isfinite(log["norm"]):
            self.optimiser.step()
        self._follow(min(0.999, (1 + self.step) / (10 + self.step)))
        self.step += 1
        return log | {"rate": rate}

    def _losses(self, batch: Batch, spoken: Tensor, content: Tensor) -> tuple[Tensor, dict[str, float]]:
        weights = self.config["weights"]
        ours, theirs = _judged(spoken, batch)
        told = ~batch.is_swap
        distance = spectral_distance(ours[told], theirs[told], batch.bandwidth_hz[told])
        with in_bfloat16():
            feature, symbol, guessed = content_losses(
                self.model.heads, content, batch.features, batch.features_known, batch.symbols
            )
        total = weights["log"] * distance.log + weights["relative"] * distance.relative + weights["mel"] * distance.mel
        total = total + weights["feature"] * feature + weights["symbol"] * symbol
        log = {"log": distance.log, "rel": distance.relative, "mel": distance.mel, "feat": feature, "sym": symbol}
        log["acc"] = guessed
        heard_apart = self._heard_apart(ours, theirs, batch)
        total = total + sum(weights[name] * distance for name, distance in heard_apart.items())
        log |= heard_apart
        if bool(batch.is_swap.any()) and weights["words"] > 0.0:
            log["words"] = self.words_kept(spoken[batch.is_swap], content[batch.is_swap])
            total = total + weights["words"] * log["words"]
        if self.step >= self.config["adversary"]["from_step"]:
            judge, judged = self._judge_step(ours, theirs, batch)
            total = total + sum(self.config["adversary"][name] * loss for name, loss in judged.items())
            log |= {"judge": judge} | judged
        return total, {name: float(value.detach()) for name, value in log.items()}

    def _heard_apart(self, ours: Tensor, theirs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return how far what is spoken is from what should be, to ears that know voice, speakers or words."""
        apart, weights = {}, self.config["weights"]
        swapped, told = batch.is_swap, ~batch.is_swap
        if weights["voicing"] > 0.0:
            apart["voicing"] = voicing_apart(ours, theirs)
        if self.identity is not None:
            apart["identity"] = self.identity(ours, theirs, batch.identity)
        if self.teacher is not None and weights["teacher"] > 0.0 and bool(swapped.any()):
            apart["teacher"] = self.teacher(ours[swapped], theirs[swapped], batch.identity[swapped])
        if self.teacher is not None and weights["view"] > 0.0:
            apart["view"] = self.teacher.frame_by_frame(ours[told], theirs[told])
        if self.recognised is not None:
            apart |= self.recognised(ours, theirs, batch.is_swap)
        return apart

    def _judge_step(self, ours: Tensor, theirs: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Let the judge learn; return its loss, and what it makes of what is spoken once it knows its trade."""
        config = self.config["adversary"]
        told = torch.nonzero(~batch.is_swap)[: config["clips"], 0]
        swapped = torch.nonzero(batch.is_swap)[:, 0]
        spoken = Claim(ours, batch.bandwidth_hz, batch.identity).some(torch.cat([told, swapped]))
        recorded = Claim(theirs, batch.bandwidth_hz, batch.identity).some(told)
        loss = judge_losses(self.judge, spoken.held(), recorded)
        for group in self.judge_optimiser.param_groups:
            group["lr"] = config["rate"]
        self.judge_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.judge_optimiser.step()
        if self.step < config["from_step"] + JUDGE_ALONE_STEPS:
            return loss.detach(), {}
        fooled, matched = speaker_losses(self.judge, spoken, recorded)
        return loss.detach(), {"fool": fooled, "match": matched}

    @torch.no_grad()
    def _follow(self, keep: float) -> None:
        for ours, theirs in zip(self.average.parameters(), self.model.parameters(), strict=True):
            ours.lerp_(theirs, 1.0 - keep)

    @torch.no_grad()
    def check(self) -> dict[str, float]:
        """Measure the averaged networks on fixed, unspoiled crops of the training speakers."""
        torch.manual_seed(1)
        batch = self.checks.batch(0)
        spoken, content = self.average(batch)
        distance = spectral_distance(*_judged(spoken, batch), batch.bandwidth_hz)
        feature, _, guessed = content_losses(
            self.average.heads, content, batch.features, batch.features_known, batch.symbols
        )
        values = {"log": distance.log, "mel": distance.mel, "feat": feature, "acc": guessed}
        return {f"check_{name}": round(float(value), 4) for name, value in values.items()}


def main() -> None:
    """Parse, train, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=None, help="stop at this step")
    parser.add_argument("--start", type=Path, default=None, help="a new run begins with these weights")
    parser.add_argument("--ge2e", type=Path, default=None, help="resemblyzer/pretrained.pt, to judge who speaks by")
    parser.add_argument("--recogniser", type=Path, default=None, help="model.bin of a Whisper, to judge words by")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    config = tomllib.loads(chosen.run.read_text())
    torch.set_num_threads(chosen.threads)
    use_device(chosen.device)
    training = Training(config, Corpus(chosen.corpus), chosen.folder, chosen.ge2e, chosen.recogniser)
    if chosen.start is not None and training.step == 0:
        training.start_from(load_file(chosen.start))
    last = chosen.steps or config["schedule"]["steps"]
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda caught, _: stopping.append(caught))
    _train(training, last, stopping)


def _train(training: Training, last: int, stopping: list[int]) -> None:
    logs: list[dict[str, float]] = []
    began = saved = time.monotonic()
    with (training.folder / "log.jsonl").open("a") as out:
        while training.step < last and not stopping:
            logs.append(training.train_step())
            if training.step % 50 == 0:
                line = {name: round(float(np.mean([log[name] for log in logs if name in log])), 4) for name in logs[-1]}
                line |= {"step": training.step, "seconds": round(time.monotonic() - began, 1)}
                if training.step % 500 == 0:
                    line |= training.check()
                logs.clear()
                print(json.dumps(line), file=out, flush=True)
                print(line, flush=True)
            if time.monotonic() - saved > 180:
                training.save()
                saved = time.monotonic()
    training.save()


if __name__ == "__main__":
    main()
