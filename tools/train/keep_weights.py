"""Keep the averaged weights of a run in half precision, to go on from them elsewhere.

usage: python -m tools.train.keep_weights RUN/last.pt OUT.safetensors
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file


def main() -> None:
    """Read, halve, write."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    state = torch.load(source, weights_only=True)
    halves = {name: value.half().contiguous() for name, value in state["average"].items()}
    part = target.with_suffix(".part")
    save_file(halves, part, {"step": str(state["step"]), "config": state["config"]})
    os.replace(part, target)


if __name__ == "__main__":
    main()
