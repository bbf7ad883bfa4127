"""From options and answers to what a speaker agreed to. Nothing here ever agrees for somebody."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from vcfx.errors import VcfxError

from .questions import ask, ask_for_yes, can_ask, say

if TYPE_CHECKING:
    from vcfx_models.enrolment.terms import Agreement, Terms

_Answer = TypeVar("_Answer")
_USES: Final = "live: to speak with it live; files: to convert recordings into it; speech: to have texts read with it"


@dataclass(frozen=True, slots=True)
class GivenTerms:
    """The terms as far as options have given them, already checked; empty where a question is open."""

    speaker: str
    uses: tuple[str, ...]
    until: str
    purpose: str
    needs_end: bool = True

    @property
    def missing(self) -> list[str]:
        """Options that must still be answered."""
        open_ends = {"--speaker": self.speaker, "--uses": self.uses, "--until": self.until or not self.needs_end}
        return [name for name, given in open_ends.items() if not given]


def given_terms(options: argparse.Namespace, now: datetime) -> GivenTerms:
    """Return what the options say, refused early if it will not do.

    Raises
    ------
    VcfxError
        If an option is not allowed, or one is missing and nobody can be asked.
    """
    from vcfx_models.enrolment.terms import parsed_until, parsed_uses

    is_given_away = bool(getattr(options, "licence", None))
    given = GivenTerms(
        options.speaker or "",
        parsed_uses(options.uses) if options.uses is not None else (),
        parsed_until(options.until, now) if options.until is not None else "",
        options.purpose or "",
        not is_given_away,
    )
    if given.missing and not can_ask():
        raise VcfxError(f"a voice needs its speaker's consent; give also {', '.join(given.missing)}")
    return given


def completed(given: GivenTerms, now: datetime) -> Terms:
    """Ask for what the options left open, again after an answer that will not do."""
    from vcfx_models.enrolment.terms import Terms, parsed_until, parsed_uses

    speaker = given.speaker or _asked("Whose voice is it? Full name", _some_text)
    uses = given.uses
    if not uses:
        say(_USES)
        uses = _asked("What may it be used for? Words with commas between", parsed_uses)
    until = given.until
    if not until and given.needs_end:
        until = _asked("Until when? A day like 2027-11-22, or 30d, 6w, 18m, 1y", lambda text: parsed_until(text, now))
    purpose = given.purpose or (ask("What for, in words? Enter for nothing in particular") if given.missing else "")
    return Terms(speaker, uses, until, purpose)


def typed_agreement(options: argparse.Namespace, terms: Terms) -> Agreement:
    """Return how the speaker agreed in writing, or under which licence the recordings are.

    Raises
    ------
    VcfxError
        If nobody has agreed.
    """
    from vcfx_models.enrolment.terms import Agreement, statement_of

    if options.licence:
        statement = f"Recordings that their speaker or publisher gave away under {options.licence}."
        return Agreement("licence", statement)
    if options.statement:
        return Agreement("typed", options.statement)
    statement = statement_of(terms)
    if not options.agreed:
        if not can_ask():
            raise VcfxError(
                f'{terms.speaker} must agree: give what they wrote with --statement TEXT, or --agreed if they read "'
                f'{statement}" and said yes'
            )
        say(f"{terms.speaker} must read this, or have it read to them:")
        say(f"  {statement}")
        if not ask_for_yes(f"Does {terms.speaker} agree?"):
            raise VcfxError("there is no consent; nothing was enrolled")
    return Agreement("typed", statement)


def _asked(question: str, parse: Callable[[str], _Answer]) -> _Answer:
    while True:
        try:
            return parse(ask(question))
        except VcfxError as error:
            if "there was no answer" in str(error):
                raise
            say(f"  {error}")


def _some_text(text: str) -> str:
    from vcfx_models.papers.consent import MAX_TEXT

    if not 1 <= len(text) <= MAX_TEXT or not text.isprintable():
        raise VcfxError(f"allowed: one line of 1 to {MAX_TEXT} printable characters")
    return text
