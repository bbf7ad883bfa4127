"""A phrase to say that is new each time, and how long there is to say it."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from typing import Final

from .words import WORDS

PHRASE_WORDS: Final = 6
SECONDS_ALLOWED: Final = 30.0
#: How hard a phrase is to guess: all orders of six different words are equally likely.
PHRASE_BITS: Final = math.log2(math.perm(len(WORDS), PHRASE_WORDS))


@dataclass(frozen=True, slots=True)
class Challenge:
    """What somebody is asked to say.

    Parameters
    ----------
    phrase
        The words, lower case, with single spaces.
    issued_at
        When it was shown, in seconds of a clock that only goes forward (`time.monotonic`).
    seconds_allowed
        How long after that the answer may be complete.
    """

    phrase: str
    issued_at: float
    seconds_allowed: float = SECONDS_ALLOWED

    @property
    def words(self) -> tuple[str, ...]:
        """The phrase, word by word."""
        return tuple(self.phrase.split())

    def seconds_taken(self, now: float) -> float:
        """Return how many seconds have passed since it was shown."""
        return now - self.issued_at

    def expired(self, now: float) -> bool:
        """Tell whether it is too late for an answer; a clock that went back counts as too late."""
        return not 0.0 <= self.seconds_taken(now) <= self.seconds_allowed


def new_challenge(now: float, seconds_allowed: float = SECONDS_ALLOWED) -> Challenge:
    """Return a challenge of six different words, drawn by the operating system's source of secrets.

    Parameters
    ----------
    now
        `time.monotonic()` at the moment it is shown.
    seconds_allowed
        Above 0.
    """
    if not seconds_allowed > 0.0:
        raise ValueError(f"seconds_allowed is {seconds_allowed:g}; allowed: above 0")
    words = secrets.SystemRandom().sample(WORDS, PHRASE_WORDS)
    return Challenge(" ".join(words), now, seconds_allowed)
