"""Make what the detector of live voices learns from and is judged on; what is there already is kept.

usage: python -m tools.train.liveness_clips CORPUS OUT --python OTHER_PYTHON --piper-model MODEL.onnx
"""

from __future__ import annotations

import argparse
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vcfx_models.liveness.answer_coding import answer_coded

from .liveness_channel import Channel
from .liveness_kinds import KINDS, LIVE, Kind, Made, Maker
from .liveness_learned import LearnedMaker, shards
from .liveness_material import Mono, real_takes, synthetic_takes

#: How often any clip is coded once more before the channel, so that the number of codings is no sign of an attack.
CODED_AGAIN_SHARE = 0.5
#: Kinds that come from the corpus as coded as live speech does; all others are coded once before all else.
CODED_KINDS = (LIVE, "replay", "replay_other")
PCM_SCALE: Final = 32_000


def main() -> None:
    """Make the shards of the asked splits, all kinds alike."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--python", type=Path, required=True, help="of an environment with piper-tts and py-nanotts")
    parser.add_argument("--piper-model", type=Path, required=True)
    parser.add_argument("--splits", nargs="*", default=["test", "dev", "train"])
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(4)
    takes = real_takes(options.corpus, rng), synthetic_takes(options.corpus, rng)
    for split in options.splits:
        if split == "test":
            maker = Maker(options.corpus, *takes, options.python, options.piper_model)
            for kind in KINDS:
                file = options.out / f"test-{kind.name}.npz"
                if kind.count("test") and not file.is_file():
                    _make_test(maker, kind, options.corpus, file)
            continue
        learned = LearnedMaker(options.corpus, *takes, split)
        for kind, number in shards(split):
            file = options.out / f"{split}-{kind.name}-{number:03d}.npz"
            if not file.is_file():
                _make_shard(learned, kind, number, Channel(options.corpus, split, _rng("channel of ", file)), file)
                print(file.stem, flush=True)


def _rng(what: str, file: Path) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{what}{file.stem}".encode()))


def _make_shard(maker: LearnedMaker, kind: Kind, number: int, channel: Channel, file: Path) -> None:
    """Make and write clips to learn from: what comes out of the last coding, and what each is a copy of."""
    rng = _rng("", file)
    copied, made = zip(*maker.clips(kind, number, rng), strict=True)
    first = _first([clip.mono for clip in made], kind.name, rng)
    judged = [answer_coded(channel(mono, kind.room_share)) for mono in first]
    write(file, made, {"judged": judged}, {"copied": np.array(copied)})


def _make_test(maker: Maker, kind: Kind, corpus: Path, file: Path) -> None:
    """Make and write the clips of one kind to be judged on: before and after the channel."""
    rng, channel = _rng("", file), Channel(corpus, "test", _rng("channel of ", file))
    made = list(maker.clips(kind, rng))
    raw = [clip.mono for clip in made]
    first = _first(raw, kind.name, rng)
    heard = [channel(mono, kind.room_share) for mono in first]
    write(file, made, {"heard": heard}, {}, {"before": first, "raw": raw})
    print(file.stem, flush=True)


def _first(monos: list[Mono], kind: str, rng: np.random.Generator) -> list[Mono]:
    """Return clips as coded as the recordings are, and half of all kinds once more."""
    again = rng.random(len(monos)) < CODED_AGAIN_SHARE
    once = monos if kind in CODED_KINDS else [answer_coded(mono) for mono in monos]
    return [answer_coded(mono) if chosen else mono for mono, chosen in zip(once, again, strict=True)]


def write(
    file: Path,
    made: Sequence[Made],
    sounds: Mapping[str, Sequence[Mono]],
    numbers: Mapping[str, npt.NDArray[Any]],
    levelled: Mapping[str, Sequence[Mono]] = MappingProxyType({}),
) -> None:
    """Write sounds as 16-bit samples, `levelled` ones with their peaks at full scale, and where they come from."""
    arrays: dict[str, npt.NDArray[Any]] = dict(numbers)
    for name, monos in sounds.items():
        arrays["samples"] = np.array([mono.size for mono in monos])
        arrays[name] = _pcm(np.concatenate(monos))
    for name, monos in levelled.items():
        arrays[name] = _pcm(np.concatenate([mono / np.abs(mono).max() for mono in monos]))
    arrays |= {"speaker": np.array([m.speaker for m in made]), "origin": np.array([m.origin for m in made])}
    part = file.with_name(f"{file.name}.part")
    with part.open("wb") as opened:
        np.savez(opened, **arrays)
    os.replace(part, file)


def _pcm(mono: Mono) -> npt.NDArray[np.int16]:
    return np.rint(PCM_SCALE * np.clip(mono, -1.0, 1.0)).astype(np.int16)


if __name__ == "__main__":
    main()
