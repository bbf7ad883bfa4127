"""Make what the detector of live voices learns from and is judged on; what is there already is kept.

usage: python -m tools.train.liveness_clips CORPUS OUT --python OTHER_PYTHON --piper-model MODEL.onnx
"""

from __future__ import annotations

import argparse
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vcfx_models.liveness.answer_coding import answer_coded
from vcfx_models.liveness.speech_spectrum import band_levels_db, is_speech

from .liveness_channel import Channel
from .liveness_kinds import KINDS, LIVE, Kind, Made, Maker
from .liveness_material import SPLITS, Mono, real_takes, synthetic_takes

#: How often any clip is coded once more before the channel, so that the number of codings is no sign of an attack.
CODED_AGAIN_SHARE = 0.5
#: Kinds that come from the corpus as coded as live speech does; all others are coded once before all else.
CODED_KINDS = (LIVE, "replay", "replay_other")
#: How many ways through the channel each clip that is learned from takes.
WAYS = 2


def main() -> None:
    """Make all kinds, the quickest first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--python", type=Path, required=True, help="of an environment with piper-tts and py-nanotts")
    parser.add_argument("--piper-model", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[kind.name for kind in KINDS])
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(4)
    takes = real_takes(options.corpus, rng), synthetic_takes(options.corpus, rng)
    maker = Maker(options.corpus, *takes, options.python, options.piper_model)
    for kind in (kind for name in options.only for kind in KINDS if kind.name == name):
        for split, count in zip(SPLITS, kind.counts, strict=True):
            file = options.out / f"{split}-{kind.name}.npz"
            if count and not file.is_file():
                _make(maker, kind, split, count, options.corpus, file)
                print(f"{split} {kind.name}", flush=True)


def _make(maker: Maker, kind: Kind, split: str, count: int, corpus: Path, file: Path) -> None:
    """Make one kind for one split, and write it."""
    rng = np.random.default_rng(zlib.crc32(file.stem.encode()))
    channel = Channel(corpus, split, np.random.default_rng(zlib.crc32(f"channel of {file.stem}".encode())))
    made = list(maker.clips(kind.name, split, count, rng))
    first = _first([clip.mono for clip in made], kind.name, rng)
    if split == "train":
        made, first = made * WAYS, first * WAYS
    heard = [channel(mono, kind.room_share) for mono in first]
    raw = [clip.mono for clip in made]
    write(file, made, heard, {"before": first, "raw": raw} if split == "test" else {})


def _first(monos: list[Mono], kind: str, rng: np.random.Generator) -> list[Mono]:
    """Return clips as coded as the recordings are, and half of all kinds once more."""
    again = rng.random(len(monos)) < CODED_AGAIN_SHARE
    once = monos if kind in CODED_KINDS else [answer_coded(mono) for mono in monos]
    return [answer_coded(mono) if chosen else mono for mono, chosen in zip(once, again, strict=True)]


def write(file: Path, made: list[Made], heard: list[Mono], sounds: dict[str, list[Mono]]) -> None:
    """Write the spectra of clips coded a last time; with other `sounds` of them, also those and the one heard."""
    levels = [band_levels_db(answer_coded(mono)) for mono in heard]
    arrays: dict[str, npt.NDArray[Any]] = {
        "levels_db": np.concatenate(levels).astype(np.float16),
        "speech": np.concatenate([is_speech(found) for found in levels]),
        "frames": np.array([found.shape[0] for found in levels]),
        "speaker": np.array([clip.speaker for clip in made]),
        "origin": np.array([clip.origin for clip in made]),
    }
    if sounds:
        arrays["samples"] = np.array([mono.size for mono in heard])
        arrays["heard"] = np.rint(32_000 * np.clip(np.concatenate(heard), -1.0, 1.0)).astype(np.int16)
    for name, monos in sounds.items():
        unit = np.concatenate([mono / np.abs(mono).max() for mono in monos])
        arrays[name] = np.rint(32_000 * unit).astype(np.int16)
    part = file.with_name(f"{file.name}.part")
    with part.open("wb") as opened:
        np.savez(opened, **arrays)
    os.replace(part, file)


if __name__ == "__main__":
    main()
