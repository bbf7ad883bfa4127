"""Who is heard in recordings: the mean over partials, and whether a recording is of somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import VoiceError
from ..geometry import SAMPLE_RATE
from ..speaker_encoder import SpeakerEmbedder
from ..speech_level import Mono, levelled
from ..voice_vector import unit

Floats = npt.NDArray[np.float32]

#: Length of a partial and how far the next one begins after it; more than so many of a recording are not heard.
PARTIAL_S, STEP_S, MOST_PARTIALS = 3.0, 1.5, 24
#: Recordings with less speech than this have no say about who they are of.
LEAST_JUDGED_S: Final = 2.0
#: Cosine between a recording and all others together, and between the only two, below which somebody else speaks. Of
#: 188 recordings of 47 speakers (median 2.8 s of speech) none was below either; of another person's beside three, 48 %,
#: of pairs by two, 39 %. The margin is for recordings of other days and microphones.
LEAST_LIKENESS, LEAST_LIKENESS_OF_TWO = 0.75, 0.7


def embedding_of(speech: Mono, encoder: SpeakerEmbedder) -> Floats:
    """Return the mean over partials of 3 s, half of each also in the next, of speech without pauses at 24 kHz."""
    length, step = round(PARTIAL_S * SAMPLE_RATE), round(STEP_S * SAMPLE_RATE)
    steps = max(0, -(-(speech.size - length) // step))
    starts = np.linspace(0, max(0, speech.size - length), min(steps + 1, MOST_PARTIALS)).round().astype(int)
    partials = [encoder.embed(levelled(speech[start : start + length])) for start in starts]
    return unit(np.mean(partials, axis=0))


def common_embedding(embeddings: Sequence[Floats], seconds: Sequence[float]) -> Floats:
    """Return the mean of recordings, each as important as it holds seconds of speech; of unit length."""
    return unit(np.stack(embeddings).T @ np.asarray(seconds, np.float32))


def check_same_person(embeddings: Sequence[Floats], seconds: Sequence[float], files: Sequence[str]) -> None:
    """Refuse recordings of which one sounds like another person than the others together.

    Raises
    ------
    VoiceError
        Naming the recording that fits least.
    """
    judged = [index for index, length in enumerate(seconds) if length >= LEAST_JUDGED_S]
    if len(judged) < 2:
        return
    likeness = []
    for index in judged:
        others = [other for other in judged if other != index]
        rest = common_embedding([embeddings[other] for other in others], [seconds[other] for other in others])
        likeness.append(float(embeddings[index] @ rest))
    least = int(np.argmin(likeness))
    needed = LEAST_LIKENESS if len(judged) > 2 else LEAST_LIKENESS_OF_TWO
    if likeness[least] >= needed:
        return
    measured = f"(likeness {likeness[least]:.2f}; needed: {needed:g})"
    if len(judged) == 2:
        first, second = (files[index] for index in judged)
        raise VoiceError(f"{first} and {second} sound like two people {measured}; give recordings of one")
    raise VoiceError(
        f"{files[judged[least]]} sounds like another person than the other recordings {measured}; leave it out"
    )
