"""The encoders that are compared: pieces of speech at 24 kHz to unit vectors, kept by what was heard."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from vcfx_models.ge2e_encoder import Ge2eEncoder
from vcfx_models.ge2e_speech import speech_for_ge2e
from vcfx_models.speaker_encoder import SpeakerEncoder
from vcfx_models.speaker_partials import SpeakerPartials
from vcfx_models.speech_level import levelled

from .cache import Cache
from .sound import Audio, Sound
from .speaker_material import RATE_HZ


class Judge(Protocol):
    """Something that turns speech at 24 kHz into a unit vector, its name, and what it is."""

    name: str
    meaning: str

    def vector(self, audio: Audio) -> Audio:
        """Return the embedding, shape (256,)."""


class _Kept:
    """An encoder whose answers are kept in a folder.

    Parameters
    ----------
    name, meaning
        How reports call it, and what it is.
    weights
        Its file: other weights, other answers.
    embed
        Speech to vector.
    cache
        Where the answers are kept.
    """

    def __init__(self, name: str, meaning: str, weights: Path, embed: Callable[[Audio], Audio], cache: Cache) -> None:
        self.name, self.meaning = name, meaning
        self._embed, self._cache = embed, cache
        self._meter = f"{name}-{hashlib.sha256(weights.read_bytes()).hexdigest()[:12]}"

    def vector(self, audio: Audio) -> Audio:
        """Return the embedding, shape (256,)."""
        key = Sound(audio, RATE_HZ).content_hash()
        found = self._cache.value(self._meter, key, lambda: [round(float(x), 6) for x in self._embed(audio)])
        return np.asarray(found, np.float32)


def ge2e_judge(weights: Path, cache: Cache) -> Judge:
    """Return GE2E from an ONNX file of `tools.train.ge2e_export`, through our partials."""
    partials = SpeakerPartials(Ge2eEncoder(weights))

    def embed(audio: Audio) -> Audio:
        partials.reset()
        partials.push(speech_for_ge2e(audio, RATE_HZ))
        return partials.embedding()

    return _Kept("ge2e", "GE2E, the weights that Resemblyzer 0.1.4 ships, through our partials", weights, embed, cache)


def student_judge(name: str, meaning: str, folder: Path | None, cache: Cache) -> Judge:
    """Return the program's own encoder from a folder with ``speaker.onnx``; None: the one that ships."""
    encoder = SpeakerEncoder(folder)
    return _Kept(name, meaning, encoder.path, lambda audio: encoder.embed(levelled(audio)), cache)


class KeptEncoder:
    """The program's encoder as the checks of enrolment use it, its answers kept in a folder."""

    def __init__(self, cache: Cache) -> None:
        encoder = SpeakerEncoder()
        self._kept = _Kept("parts", "the program's encoder", encoder.path, encoder.embed, cache)

    def embed(self, mono: Audio) -> Audio:
        """Return the embedding of speech as it is, shape (256,)."""
        return self._kept.vector(mono)
