"""Write the networks of a trained converter as the files that the program runs.

usage: python -m tools.train.export_converter CHECKPOINT OUT_DIR --corpus CORPUS_DIR [--storages int8 float32]

CORPUS_DIR, made by prepare_corpus, gives the mean voice that "similarity" moves away from.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from onnx import ModelProto
from torch import Tensor

from vcfx_models import geometry as grid
from vcfx_models.network_files import FORMAT, FORMAT_VERSION, GEOMETRY, STORAGES, file_name
from vcfx_models.runtime.onnx_initialisers import read_model
from vcfx_models.voice_vector import voice_vector

from .converter_graph import Storage, Weights, colour_model, decoder_model, encoder_model

Floats = npt.NDArray[np.float32]
LICENCE = "GPL-3.0-or-later"


@dataclass(frozen=True, slots=True)
class TrainedConverter:
    """Weights and what made them.

    Parameters
    ----------
    encoder, decoder
        Weights under the names of the torch modules.
    config
        Of the training: shapes in "encoder" and "decoder".
    facts
        More for the metadata.
    """

    encoder: Weights
    decoder: Weights
    config: Mapping[str, Any]
    facts: Mapping[str, str]


def as_weights(state: Mapping[str, Tensor], prefix: str = "") -> Weights:
    """Return the tensors whose names begin with `prefix`, without it, as arrays."""
    return {
        name.removeprefix(prefix): value.detach().float().numpy()
        for name, value in state.items()
        if name.startswith(prefix)
    }


def read_checkpoint(path: Path) -> TrainedConverter:
    """Return the averaged networks of a training's checkpoint."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    config = json.loads(state["config"])
    facts = {
        "training_step": str(state["step"]),
        "config_sha256": hashlib.sha256(state["config"].encode()).hexdigest(),
        "checkpoint_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": LICENCE,
    }
    average = state["average"]
    return TrainedConverter(as_weights(average, "encoder."), as_weights(average, "decoder."), config, facts)


def mean_voice(corpus: Path) -> Floats:
    """Return the mean over the training's speakers of the mean voice vector of their clips."""
    embedding, spectrum = np.load(corpus / "ge2e.npy"), np.load(corpus / "spectrum.npy")
    header, *rows = (line.split("\t") for line in (corpus / "clips.tsv").read_text().splitlines())
    clips = [dict(zip(header, row, strict=True)) for row in rows]
    of_speaker: dict[str, list[Floats]] = {}
    for index, clip in enumerate(clips):
        if clip["split"] == "train":
            vector = voice_vector(embedding[index], spectrum[index])
            of_speaker.setdefault(f"{clip['set']}/{clip['speaker']}", []).append(vector)
    return np.mean([np.mean(vectors, axis=0) for vectors in of_speaker.values()], axis=0).astype(np.float32)


def _models(trained: TrainedConverter, storage: Storage) -> dict[str, tuple[ModelProto, Mapping[str, Any]]]:
    shapes = trained.config["encoder"], trained.config["decoder"]
    # The colour runs once a voice: quick products would gain nothing, and cost precision.
    soft: Storage = "int8_stored" if storage == "int8" else storage
    return {
        "encoder": (encoder_model(trained.encoder, shapes[0]["dilations"], storage), shapes[0]),
        "decoder": (decoder_model(trained.decoder, shapes[1]["dilations"], storage), shapes[1]),
        "colour": (colour_model(trained.decoder, len(shapes[1]["dilations"]), soft), shapes[1]),
    }


def write_networks(trained: TrainedConverter, neutral: Floats, folder: Path, storages: Sequence[str]) -> list[Path]:
    """Write the files, each under a temporary name first; return their paths."""
    if neutral.shape != (grid.VOICE_SIZE,):
        raise ValueError(f"the mean voice has shape {neutral.shape}; allowed: ({grid.VOICE_SIZE},)")
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for storage in storages:
        for part, (model, shape) in _models(trained, storage).items():  # type: ignore[arg-type]
            facts = dict(trained.facts) | GEOMETRY | {"format": FORMAT, "format_version": str(FORMAT_VERSION)}
            facts |= {"part": part, "storage": storage, "channels": str(shape["channels"])}
            facts["dilations"] = ",".join(map(str, shape["dilations"]))
            facts["neutral_voice"] = base64.b64encode(neutral.astype("<f4").tobytes()).decode()
            facts["graph_sha256"] = read_model(model.SerializeToString()).graph_sha256
            for name, value in facts.items():
                model.metadata_props.add(key=name, value=value)
            path = folder / file_name(part, storage)
            path.with_suffix(".part").write_bytes(model.SerializeToString())
            os.replace(path.with_suffix(".part"), path)
            paths.append(path)
    return paths


def main() -> None:
    """Parse, export, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--storages", nargs="+", choices=STORAGES, default=list(STORAGES))
    chosen = parser.parse_args()
    trained = read_checkpoint(chosen.checkpoint)
    for path in write_networks(trained, mean_voice(chosen.corpus), chosen.folder, chosen.storages):
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
