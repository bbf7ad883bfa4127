"""A voice model of a few channels with random weights: what the program runs, made in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tools.train.export_converter import TrainedConverter, as_weights, write_networks
from vcfx_models import geometry as grid
from vcfx_models.networks.content_encoder import ContentEncoder
from vcfx_models.networks.decoder import Decoder

torch.set_num_threads(1)  # the tests run in several processes; threads of each would wait for one another

CONFIG: dict[str, dict[str, Any]] = {
    "encoder": {"channels": 24, "dilations": (1, 2, 4)},
    "decoder": {"channels": 20, "dilations": (1, 2)},
}


def tiny_torch_networks(seed: int = 1) -> tuple[ContentEncoder, Decoder]:
    """Return encoder and decoder; the colours are made strong enough to be heard."""
    torch.manual_seed(seed)
    encoder, decoder = ContentEncoder(**CONFIG["encoder"]), Decoder(**CONFIG["decoder"])
    with torch.no_grad():
        decoder.colour.films.weight.normal_(std=0.1)
        for module in (encoder, decoder):
            for parameter in module.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.02)  # norms are not all ones and noughts
    return encoder.eval(), decoder.eval()


def write_tiny_networks(
    folder: Path, storages: Sequence[str] = ("float32",), seed: int = 1, is_flat: bool = False
) -> Path:
    """Write the files of the model to a folder and return the folder; flat: bare pulses as loud as the input."""
    encoder, decoder = tiny_torch_networks(seed)
    if is_flat:
        with torch.no_grad():
            decoder.envelopes.weight.zero_()
            envelopes = decoder.envelopes.bias.view(grid.SUBFRAMES, -1)
            envelopes[:, : grid.HARMONIC_BANDS], envelopes[:, grid.HARMONIC_BANDS :] = 0.0, -5.0
    facts = {"training_step": "0", "config_sha256": "0", "checkpoint_sha256": str(seed), "licence": "none"}
    trained = TrainedConverter(as_weights(encoder.state_dict()), as_weights(decoder.state_dict()), CONFIG, facts)
    write_networks(trained, random_vector(0), folder, storages)
    return folder


def random_vector(seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(seed).standard_normal(grid.VOICE_SIZE).astype(np.float32)
