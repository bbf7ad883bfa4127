"""Write GE2E as ONNX with its memory going in and coming out, and its weights as safetensors.

usage: python -m tools.train.ge2e_export WEIGHTS OUT_DIR [--half]

WEIGHTS is Resemblyzer's pretrained.pt or a .safetensors of `train_ge2e`. --half keeps the matrices of the ONNX file in
float16: half the size, embeddings that differ in the fourth digit.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import warnings
from pathlib import Path

import onnx
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from vcfx_models.ge2e_encoder import INPUTS, OUTPUTS
from vcfx_models.ge2e_geometry import BANDS
from vcfx_models.networks.ge2e import Ge2e, Ge2eMemory, read_ge2e

from .export_speaker import OPSET, store_small


class _WithMemory(nn.Module):
    """GE2E with flat inputs and outputs."""

    def __init__(self, network: Ge2e) -> None:
        super().__init__()
        self.network = network

    def forward(self, bands: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        embedding, memory = self.network.hear(bands, Ge2eMemory(hidden, cell))
        return embedding, memory.hidden, memory.cell


def export_ge2e(network: Ge2e, target: Path, properties: dict[str, str], half: bool = False) -> None:
    """Write the ONNX file, under a temporary name first."""
    part = target.with_suffix(".part")
    axes = {"bands": {0: "streams", 1: "frames"}}
    axes |= {name: {1: "streams"} for name in (*INPUTS[1:], *OUTPUTS[1:])} | {OUTPUTS[0]: {0: "streams"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # batches of other sizes than the example's: fine, the memory is given
        torch.onnx.export(
            _WithMemory(network),
            (torch.rand(2, 7, BANDS), *network.empty_memory(2)),
            str(part),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(part)
    if half:
        store_small(model, whole_numbers=False)
    onnx.helper.set_model_props(model, {"format": "1"} | properties)
    onnx.checker.check_model(model)
    onnx.save(model, part)
    os.replace(part, target)


def main() -> None:
    """Read, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", action="store_true")
    chosen = parser.parse_args()
    network = read_ge2e(chosen.weights)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(chosen.weights.read_bytes()).hexdigest()
    export_ge2e(network, chosen.folder / "ge2e.onnx", {"checkpoint_sha256": digest}, chosen.half)
    part = chosen.folder / "ge2e.part"
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, part, {"from": digest})
    os.replace(part, chosen.folder / "ge2e.safetensors")


if __name__ == "__main__":
    main()
