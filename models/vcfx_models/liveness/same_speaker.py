"""Whether the answer was spoken by whom the sample was."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import VoiceError
from ..geometry import EMBEDDING_SIZE, SAMPLE_RATE
from ..speaker_encoder import SpeakerEmbedder
from ..speech_level import levelled
from ..voice_vector import unit
from .recording import Recording, mono_at

#: Cosine from which two recordings count as one person's. Of ten unheard people nobody was refused, of the others in
#: the same corpus up to one in seven was let in (models/LIVENESS.md).
LEAST_SIMILARITY: Final = 0.86

Floats = npt.NDArray[np.float32]


def speaker_of(recording: Recording | Floats, encoder: SpeakerEmbedder, what: str) -> Floats:
    """Return the embedding, (256,) of unit length, of a recording; one that is given is passed on."""
    if not isinstance(recording, np.ndarray):
        return encoder.embed(levelled(mono_at(recording, SAMPLE_RATE, what)))
    if recording.shape != (EMBEDDING_SIZE,) or not np.isfinite(recording).all() or not recording.any():
        raise VoiceError(f"{what}: its embedding has the shape {recording.shape}; needed: ({EMBEDDING_SIZE},), not 0")
    return unit(recording)


def speaker_similarity(answer: Recording, sample: Recording | Floats, encoder: SpeakerEmbedder) -> float:
    """Return the cosine between the speakers of an answer and of a sample, or of the sample's embedding."""
    one = speaker_of(answer, encoder, "the answer")
    return float(one @ speaker_of(sample, encoder, "the sample"))
