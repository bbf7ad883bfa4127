"""Write the speaker encoder as ONNX, with half-precision weights.

usage: python -m tools.train.export_speaker RUN/speaker.pt OUT_DIR
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from vcfx_models.geometry import N_MELS
from vcfx_models.networks.speaker_encoder import SpeakerEncoder

OPSET = 17


def halve_weights(model: onnx.ModelProto, least_entries: int = 256) -> None:
    """Store large float32 initialisers as float16, each followed by a cast: half the size, the same arithmetic."""
    casts, kept = [], []
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < least_entries:
            kept.append(tensor)
            continue
        name = f"{tensor.name}_half"
        kept.append(numpy_helper.from_array(array.astype(np.float16), name))
        casts.append(onnx.helper.make_node("Cast", [name], [tensor.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)


def main() -> None:
    """Export, halve, write."""
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    network = SpeakerEncoder()
    network.load_state_dict(torch.load(source, weights_only=True))
    network.eval()
    part = folder / "speaker.onnx.part"
    axes = {"log_mel": {1: "frames"}}
    example = torch.randn(1, 200, N_MELS)
    torch.onnx.export(
        network,
        (example,),
        str(part),
        input_names=["log_mel"],
        output_names=["embedding"],
        dynamic_axes=axes,
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(part)
    halve_weights(model)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    onnx.helper.set_model_props(model, {"format": "1", "licence": "GPL-3.0-or-later", "checkpoint_sha256": digest})
    onnx.checker.check_model(model)
    onnx.save(model, part)
    os.replace(part, folder / "speaker.onnx")


if __name__ == "__main__":
    main()
