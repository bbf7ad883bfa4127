"""What the estimator of the mark's detector learns from: speech marked with random patterns, harmed, as levels.

Speech is of the speakers that tools/evaluate_watermark.py does not use. What an example is, its number alone decides.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tools.evaluation.corpus import Clip, read_clip, read_manifest
from tools.evaluation.sound import Sound
from tools.evaluation.watermark_attacks import harmed
from tools.evaluation.watermark_material import is_for_tests, is_loud_enough
from vcfx_dsp.core.watermark_layout import BANDS
from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.nodes.watermark import Watermark
from vcfx_dsp.watermark.estimator import inputs
from vcfx_dsp.watermark.key import WatermarkKey
from vcfx_dsp.watermark.levels import HOP_S, band_levels, frame_spectra
from vcfx_dsp.watermark.pattern import pattern_of

SECONDS: Final = 1.92
FRAMES: Final = round(SECONDS / HOP_S) + 1
STRENGTHS_DB: Final = (1.3, 2.5)
#: Half of what lies between two pitches that the detector tries.
LARGEST_RATIO_ERROR: Final = 0.0125
IN_ONE_FILE: Final = 200
Floats = npt.NDArray[np.float32]
Clips = dict[str, list[Clip]]


class Examples(NamedTuple):
    """What the network sees, (examples, FRAMES, BANDS, 3), and the true tiles, (examples, SLOTS, BANDS)."""

    inputs: Floats
    tiles: Floats


def load_examples(corpus: Path, count: int, folder: Path) -> Examples:
    """Return the first `count` examples; those that the folder lacks are made."""
    clips: Clips = {}
    for clip in read_manifest(corpus):
        if not is_for_tests(clip) and clip.seconds > SECONDS + 0.1:
            clips.setdefault(clip.set, []).append(clip)
    files = [_stored(corpus, clips, first, folder) for first in range(0, count, IN_ONE_FILE)]
    return Examples(*(np.concatenate(arrays)[:count] for arrays in zip(*files, strict=True)))


def _stored(corpus: Path, clips: Clips, first: int, folder: Path) -> Examples:
    path = folder / f"{first:06d}.npz"
    if not path.exists():
        made = [_example(corpus, clips, number) for number in range(first, first + IN_ONE_FILE)]
        seen, tiles = (np.stack(arrays) for arrays in zip(*made, strict=True))
        temporary = path.with_name(f"{path.stem}.part.npz")
        np.savez(temporary, inputs=seen, tiles=tiles)
        temporary.replace(path)
        print(f"{first + IN_ONE_FILE} examples", flush=True)
    with np.load(path, allow_pickle=False) as stored:
        return Examples(stored["inputs"], stored["tiles"])


def _example(corpus: Path, clips: Clips, number: int) -> tuple[Floats, Floats]:
    """Mark a piece under a key of its own, harm it, and return what the network sees of it and the true tiles."""
    rng = np.random.default_rng([1, number])
    piece = _loud_piece(corpus, clips, rng)
    secret = hashlib.sha256(f"training {number}".encode()).digest()
    node = Watermark(strength_db=float(rng.uniform(*STRENGTHS_DB)), key=secret.hex())
    node.prepare(ProcessSpec(piece.sample_rate, piece.audio.size, 1))
    out = np.empty((1, piece.audio.size), np.float32)
    node.process(np.ascontiguousarray(piece.audio[None]), out)
    sound = harmed(Sound(out[0], piece.sample_rate), rng)
    ratio = 1.0 + float(rng.uniform(-LARGEST_RATIO_ERROR, LARGEST_RATIO_ERROR))
    heard = band_levels(frame_spectra(sound.audio, sound.sample_rate), sound.sample_rate, ratio)[:FRAMES]
    seen = np.zeros((FRAMES, BANDS, 3), np.float32)
    seen[: len(heard)] = inputs(heard)
    return seen, pattern_of(WatermarkKey(secret)).tiles(0).astype(np.float32)


def _loud_piece(corpus: Path, clips: Clips, rng: np.random.Generator) -> Sound:
    """Draw a set, a clip of it and a place, until there is speech."""
    names = sorted(clips)
    while True:
        of_set = clips[names[int(rng.integers(len(names)))]]
        sound = read_clip(corpus, of_set[int(rng.integers(len(of_set)))])
        frames = round(SECONDS * sound.sample_rate)
        start = int(rng.integers(sound.audio.size - frames + 1)) if sound.audio.size > frames else 0
        piece = Sound(sound.audio[start : start + frames], sound.sample_rate)
        if is_loud_enough(piece):
            return piece
