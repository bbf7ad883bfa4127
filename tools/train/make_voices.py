"""Make the voices that come with the program from a corpus, with the program's own enrolment.

usage: python -m tools.train.make_voices CORPUS_DIR MODEL_DIR OUT_DIR
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from vcfx_models.geometry import SAMPLE_RATE
from vcfx_models.reference import Clip, voice_from_clips
from vcfx_models.speaker_encoder import SpeakerEncoder
from vcfx_models.voice_file import Voice

from .batches import Corpus
from .sign_voices import sign_voices

#: Speech that a voice is made of.
SECONDS = 60.0
KOKORO = ("Kokoro-82M, a synthetic voice ({})", "Apache-2.0")


@dataclass(frozen=True)
class Shipped:
    """A voice and where in the corpus it is heard: a stock voice of Kokoro, or a set of real recordings."""

    name: str
    gender: str
    stock: str = ""
    corpus_set: str = ""
    source: str = ""
    licence: str = ""


VOICES = (
    Shipped("alder", "male", stock="am_michael"),
    Shipped("birch", "female", stock="af_river"),
    Shipped("cedar", "male", stock="bm_george"),
    Shipped("damson", "female", stock="bf_emma"),
    Shipped("elm", "male", stock="am_onyx"),
    Shipped("fern", "female", stock="bf_isabella"),
    Shipped("gorse", "male", stock="am_adam"),
    Shipped("hazel", "female", stock="af_bella"),
    Shipped("juniper", "male", stock="am_echo"),
    Shipped(
        "iris", "female", corpus_set="rhasspy_kathleen", source="kathleen, recorded for Rhasspy", licence="CC0-1.0"
    ),
    Shipped("linden", "female", corpus_set="ljspeech_bits", source="LJ Speech (LibriVox)", licence="public domain"),
    Shipped(
        "maple",
        "male",
        corpus_set="philipp_matthes",
        source="philipp_matthes, a reader",
        licence="Apache-2.0",
    ),
)


def clips_of(corpus: Corpus, wanted: Shipped) -> list[Clip]:
    """Return recordings of a voice, about `SECONDS` in all, the middle-sized ones first."""
    blend = f'{{"{wanted.stock}": 1.0}}'
    found = [
        index
        for index, clip in enumerate(corpus.clips)
        if clip["split"] == "train" and (clip["voice"] == blend if wanted.stock else clip["set"] == wanted.corpus_set)
    ]
    found.sort(key=lambda index: abs(int(corpus.frames[index]) - 5 * SAMPLE_RATE))
    clips, seconds = [], 0.0
    for index in found:
        count = int(corpus.frames[index])
        clips.append(Clip(corpus.samples(index, 0, count), SAMPLE_RATE, corpus.clips[index]["source"]))
        seconds += count / SAMPLE_RATE
        if seconds >= SECONDS:
            break
    return clips


def main() -> None:
    """Make and save each voice; say how alike they are."""
    corpus, encoder, out = Corpus(Path(sys.argv[1])), SpeakerEncoder(Path(sys.argv[2])), Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    console = Console()
    made: list[Voice] = []
    for wanted in VOICES:
        voice = voice_from_clips(clips_of(corpus, wanted), wanted.name, encoder)
        source, licence = (
            (KOKORO[0].format(wanted.stock), KOKORO[1]) if wanted.stock else (wanted.source, wanted.licence)
        )
        metadata = {**voice.metadata, "source": source, "licence": licence, "gender": wanted.gender}
        made.append(replace(voice, metadata=metadata))
        console.print(f"{wanted.name}: {voice.median_hz:.0f} Hz, {metadata['made_from']}, {metadata['seconds']} s")
    sign_voices(made, out)
    embeddings = np.stack([voice.embedding for voice in made])
    alike = embeddings @ embeddings.T
    apart = alike[~np.eye(len(VOICES), dtype=bool)]
    console.print(f"similarity between voices: mean {apart.mean():.2f}, most {apart.max():.2f}")


if __name__ == "__main__":
    main()
