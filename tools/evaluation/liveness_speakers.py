"""How often the check of the speaker is right, on people whom the encoder never heard in training."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from tools.train.corpus_audio import read_clip
from tools.train.corpus_files import RATE_HZ, Clip, read_clips
from vcfx_models.speaker_encoder import SpeakerEncoder
from vcfx_models.speech_level import levelled
from vcfx_models.voice_vector import unit

#: Clips of a person that make up the sample, and that answer.
SAMPLE_CLIPS, ANSWER_CLIPS = 3, 12
LEAST_ANSWER_S: Final = 2.5


def speaker_results(corpus: Path) -> list[dict[str, Any]]:
    """Return one row for each answer against each sample of the same corpus: how alike, and whether one person's."""
    encoder = SpeakerEncoder()
    people: dict[tuple[str, str], list[Clip]] = {}
    for clip in read_clips(corpus):
        if clip.kind == "real" and clip.split != "train" and clip.frames >= LEAST_ANSWER_S * RATE_HZ:
            people.setdefault((clip.set, clip.speaker), []).append(clip)
    used = {who: clips[: SAMPLE_CLIPS + ANSWER_CLIPS] for who, clips in people.items() if len(clips) > SAMPLE_CLIPS}
    found = {who: np.stack([_embedding(corpus, clip, encoder) for clip in clips]) for who, clips in used.items()}
    return [
        {
            "set": who[0],
            "speaker": who[1],
            "same": who == other,
            "same_gender": clips[0].gender == used[other][0].gender,
            "similarity": float(answer @ unit(sample[:SAMPLE_CLIPS].mean(axis=0))),
        }
        for who, clips in used.items()
        for answer in found[who][SAMPLE_CLIPS:]
        for other, sample in found.items()
        if who[0] == other[0]
    ]


def _embedding(corpus: Path, clip: Clip, encoder: SpeakerEncoder) -> np.ndarray[Any, np.dtype[np.float32]]:
    mono = read_clip((str(corpus / "audio.npy"), clip.start, clip.frames))
    return encoder.embed(levelled(mono))
