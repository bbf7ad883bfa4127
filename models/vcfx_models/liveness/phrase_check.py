"""Whether a phrase was spoken: the words that a recogniser hears, against those that were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from ..errors import ModelError
from ..speech_level import Mono
from .words import WORDS

RATE_HZ: Final = 16_000
#: Asked words that must be heard, in their order.
LEAST_SHARE: Final = 0.6
#: An answer that holds many other words may be a recital of all that could be asked.
MOST_WORDS_PER_ASKED: Final = 2.0
#: Less than this is no word, and pocketsphinx fails on less than a frame.
LEAST_SAMPLES: Final = 1_600
_LOUDEST_PCM: Final = 0.5 * 32_767


class HeardPhrase(NamedTuple):
    """How much of a phrase was heard.

    Parameters
    ----------
    right
        How many of the asked words were heard, in order.
    asked
        How many were asked.
    words
        All that was heard, asked or not.
    """

    right: int
    asked: int
    words: tuple[str, ...]

    @property
    def score(self) -> float:
        """Share of the asked words that was heard in order, 0 to 1."""
        return self.right / self.asked

    @property
    def recited(self) -> bool:
        """Tell whether far more words were heard than were asked."""
        return len(self.words) > MOST_WORDS_PER_ASKED * self.asked

    @property
    def spoken(self) -> bool:
        """Tell whether it counts as spoken."""
        return self.score >= LEAST_SHARE and not self.recited


class PhraseListener:
    """Hears which words of a list are spoken, with pocketsphinx on one thread.

    Parameters
    ----------
    words
        All that can be heard; the fewer, the surer. Each must be in the recogniser's dictionary.

    Raises
    ------
    ModelError
        If pocketsphinx is not installed.
    """

    def __init__(self, words: Sequence[str] = WORDS) -> None:
        try:
            from pocketsphinx import Decoder  # loads slowly, and is an extra: not before it is needed
        except ImportError:
            raise ModelError(
                "hearing whether a phrase was spoken needs pocketsphinx: pip install 'vcfx-voice[liveness]'"
            ) from None
        self._decoder: Any = Decoder(lm=None, loglevel="FATAL")
        self._decoder.add_jsgf_string("words", _grammar(words))
        self._decoder.activate_search("words")

    def words_in(self, mono: Mono) -> tuple[str, ...]:
        """Return the words that are heard in speech, mono at 16 kHz."""
        if mono.size < LEAST_SAMPLES:
            return ()
        decoder = self._decoder
        decoder.start_utt()
        try:
            decoder.process_raw(_as_pcm(mono), no_search=False, full_utt=True)
        finally:
            decoder.end_utt()  # or it would never start again
        found = decoder.hyp()
        return tuple(found.hypstr.split()) if found is not None else ()

    def hear(self, mono: Mono, phrase: Sequence[str]) -> HeardPhrase:
        """Return how much of a phrase is in speech, mono at 16 kHz."""
        words = self.words_in(mono)
        return HeardPhrase(words_in_order(phrase, words), len(phrase), words)


def words_in_order(asked: Sequence[str], heard: Sequence[str]) -> int:
    """Return the length of the longest sequence of words that both hold in order, others between them or not."""
    before = [0] * (len(heard) + 1)
    for word in asked:
        row = [0]
        for at, other in enumerate(heard):
            row.append(before[at] + 1 if word == other else max(before[at + 1], row[at]))
        before = row
    return before[-1]


def _grammar(words: Sequence[str]) -> str:
    """Return a grammar of one or more words in any order."""
    return f"#JSGF V1.0; grammar words; public <words> = ( {' | '.join(words)} )+ ;"


def _as_pcm(mono: Mono) -> bytes:
    """Return 16-bit samples at half of full scale, whatever the level was."""
    loudest = float(np.abs(mono).max(initial=0.0))
    pcm = np.rint(mono * (_LOUDEST_PCM / max(loudest, 1e-6))).astype(np.int16)
    return bytes(pcm.tobytes())
