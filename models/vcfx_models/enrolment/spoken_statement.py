"""Whether a recording is of the speaker who agrees, and whether it says the statement."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import ConsentError, ModelError
from ..liveness.phrase_check import RATE_HZ, PhraseListener, words_in_order
from ..liveness.recording import Recording, mono_at
from ..liveness.same_speaker import LEAST_SIMILARITY, speaker_similarity
from ..liveness.words import WORDS
from ..speaker_encoder import SpeakerEmbedder

#: Words with fewer letters are heard everywhere, and make the search slow.
LEAST_LETTERS: Final = 4
#: So many words of the statement must be known to the recogniser, and such a share be heard in order. Of 24 sentences
#: of 14 to 45 words read by natives 80 % or more were heard, of other sentences 50 % or fewer; of 7 shorter ones read
#: with a strong accent, 29 to 100 %.
LEAST_KNOWN_WORDS: Final = 6
LEAST_HEARD: Final = 0.5
#: What else may be heard, so that not all that is said must be a word of the statement.
OTHER_WORDS: Final = WORDS[::9]
MOST_SECONDS: Final = 30


def check_statement_speaker(
    recording: Recording, embedding: npt.NDArray[np.float32], encoder: SpeakerEmbedder, what: str
) -> float:
    """Return how alike the speakers of a statement and of a voice are; refuse a statement by another.

    Raises
    ------
    ConsentError
        If it is another person's.
    VoiceError
        If the recording is empty or damaged.
    """
    likeness = speaker_similarity(recording, embedding, encoder)
    if likeness < LEAST_SIMILARITY:
        raise ConsentError(
            f"{what}: the statement sounds like another person than the recordings (likeness {likeness:.2f}; needed: "
            f"{LEAST_SIMILARITY:g}); who consents must be who is heard"
        )
    return likeness


def heard_share(recording: Recording, statement: str, what: str) -> float | None:
    """Return which share of a statement's words was heard in order; None if the recogniser cannot tell.

    It cannot without the package pocketsphinx, and not where it knows too few of the words: it knows English ones, and
    few names.
    """
    try:
        known = known_words(spoken_words(statement))
        if len(known) < LEAST_KNOWN_WORDS:
            return None
        listener = PhraseListener(sorted({*known, *OTHER_WORDS}))
    except ModelError:
        return None
    heard = listener.words_in(mono_at(recording, RATE_HZ, what)[: MOST_SECONDS * RATE_HZ])
    return words_in_order(known, heard) / len(known)


def check_statement_heard(recording: Recording, statement: str, what: str) -> bool:
    """Refuse a recording that says something else; returns whether the recogniser could tell.

    Raises
    ------
    ConsentError
        If less than half of the words were heard in order.
    VoiceError
        If the recording is empty or damaged.
    """
    share = heard_share(recording, statement, what)
    if share is not None and share < LEAST_HEARD:
        raise ConsentError(
            f"{what}: the statement was not heard ({share:.0%} of its words; needed: {LEAST_HEARD:.0%}); "
            f'it must say "{statement}"'
        )
    return share is not None


def spoken_words(statement: str) -> list[str]:
    """Return the longer words of a text, lower case; numbers are left out, as they are read in many ways."""
    plain = unicodedata.normalize("NFKC", statement).casefold().replace("\u2019", "'")
    return [word for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", plain) if len(word) >= LEAST_LETTERS]


def known_words(words: Sequence[str]) -> list[str]:
    """Return the words that the recogniser has in its dictionary.

    Raises
    ------
    ModelError
        If pocketsphinx is not installed.
    """
    try:
        from pocketsphinx import Decoder
    except ImportError:
        raise ModelError("hearing a statement needs pocketsphinx: pip install 'vcfx-voice[liveness]'") from None
    decoder = Decoder(lm=None, loglevel="FATAL")
    return [word for word in words if decoder.lookup_word(word)]
