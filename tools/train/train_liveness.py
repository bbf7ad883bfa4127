"""Train the detector of live voices and write it as ONNX; run again after a stop, it goes on.

usage: python -m tools.train.train_liveness RUN.toml CLIPS OUT [--pauses] [--name liveness.onnx]
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from vcfx_models.liveness.live_detector import FILE_NAME, FORMAT, FORMAT_VERSION
from vcfx_models.liveness.speech_spectrum import N_BANDS, centred

from .liveness_batches import BatchMaker, Frames, Heard, only_pauses, only_speech, read_split
from .liveness_kinds import LIVE
from .liveness_network import LivenessNetwork

OPSET = 17
SAVE_EVERY = 50


def main() -> None:
    """Train, choose the threshold, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pauses", action="store_true", help="control: learn from the pauses alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    run = tomllib.loads(options.run.read_text(encoding="utf-8"))
    choice = only_pauses if options.pauses else only_speech
    options.out.mkdir(parents=True, exist_ok=True)
    clips = {split: read_split(options.clips, split, choice) for split in ("train", "dev")}
    network = train(run, clips["train"], options.out / "last.pt")
    dev = {kind: scores(network, found) for kind, found in clips["dev"].items()}
    least_score = float(np.quantile(dev[LIVE], run["false_reject"]))
    for kind, found in dev.items():
        print(f"dev {kind}: {np.mean(found >= least_score):.2f} of {found.size} taken for live", flush=True)
    attacks = np.concatenate([found for kind, found in dev.items() if kind != LIVE])
    above = np.mean([np.mean(found >= least_score) for kind, found in dev.items() if kind != LIVE])
    print(f"dev: {above:.3f} of all kinds alike taken for live; right of pairs: {_ranked(dev[LIVE], attacks):.3f}")
    learned = {kind: [len(clips[split].get(kind, ())) for split in clips] for kind in clips["train"]}
    export(network, least_score, learned, options.out / FILE_NAME)


def train(run: dict[str, Any], clips: dict[str, list[Heard]], checkpoint: Path) -> LivenessNetwork:
    """Return the average of the weights over the last steps, ready to judge."""
    torch.manual_seed(run["seed"])
    network = LivenessNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network)
    adam = torch.optim.AdamW(network.parameters(), lr=run["learning_rate"], weight_decay=run["weight_decay"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, run["learning_rate"], run["steps"])
    parts = {"network": network, "average": average, "adam": adam, "schedule": schedule}
    done = _resumed(checkpoint, parts)
    loss_of = nn.BCEWithLogitsLoss()
    sum_loss = 0.0
    for step in range(done, run["steps"]):
        rng = np.random.default_rng((run["seed"], step))
        maker = BatchMaker(clips, run["batch"], run["frames"], run["paired"], rng)
        spectra, live = (torch.from_numpy(part) for part in maker.batch())
        smooth = live * (1.0 - run["label_smoothing"]) + 0.5 * run["label_smoothing"]
        with torch.autocast("cpu", torch.bfloat16):
            judged = network(spectra)
        loss = loss_of(judged.float(), smooth)
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
        _move(average, network, min(run["average"], step / (step + 10)))
        sum_loss += loss.item()
        if (step + 1) % SAVE_EVERY == 0:
            print(f"step {step + 1}: loss {sum_loss / SAVE_EVERY:.3f}", flush=True)
            sum_loss = 0.0
            _save(checkpoint, parts, step + 1)
    return average.eval()


def scores(network: LivenessNetwork, clips: list[Heard]) -> Frames:
    """Return the score of each clip."""
    with torch.inference_mode():
        spectra = (torch.from_numpy(centred(clip.levels_db.astype(np.float32))) for clip in clips)
        found = [network(spectrum[None]).item() for spectrum in spectra]
    return np.array(found, np.float32)


def export(network: LivenessNetwork, least_score: float, learned: dict[str, list[int]], file: Path) -> None:
    """Write the network with its threshold, and how many clips of each kind it learned from and was chosen on."""
    part = file.with_name(f"{file.name}.part")
    torch.onnx.export(
        network,
        (torch.randn(1, 200, N_BANDS),),
        str(part),
        input_names=["spectrum"],
        output_names=["score"],
        dynamic_axes={"spectrum": {1: "frames"}},
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(part)
    said = {"format": FORMAT, "format_version": FORMAT_VERSION, "least_score": f"{least_score:.4f}"}
    onnx.helper.set_model_props(model, said | {"licence": "GPL-3.0-or-later", "learned_from": json.dumps(learned)})
    onnx.checker.check_model(model)
    onnx.save(model, part)
    os.replace(part, file)


def _ranked(live: Frames, attacks: Frames) -> float:
    """Return how often a live clip scores above an attack."""
    return float(np.mean(live[:, None] > attacks))


def _move(average: nn.Module, network: nn.Module, keep: float) -> None:
    with torch.no_grad():
        for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            kept.copy_(keep * kept + (1.0 - keep) * new if kept.is_floating_point() else new)


def _resumed(checkpoint: Path, parts: dict[str, Any]) -> int:
    if not checkpoint.is_file():
        return 0
    stored = torch.load(checkpoint, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(stored[name])
    return int(stored["step"])


def _save(checkpoint: Path, parts: dict[str, Any], step: int) -> None:
    part = checkpoint.with_name(f"{checkpoint.name}.part")
    torch.save({name: value.state_dict() for name, value in parts.items()} | {"step": step}, part)
    os.replace(part, checkpoint)


if __name__ == "__main__":
    main()
