"""What a speaker is asked to agree to: parsed from words, and put into the sentence that they read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from ..errors import ConsentError
from ..papers.consent import MAX_TEXT, USES, Consent, format_time, new_consent_id, parse_time

_SPAN: Final = re.compile(r"([1-9][0-9]{0,4}) ?(d|w|m|y)")
_MONTHS: Final = {"m": 1, "y": 12}
_DAYS: Final = {"d": 1, "w": 7}
#: How the statement names each use.
USE_WORDS: Final = {
    "live": "to speak with it live",
    "files": "to convert recordings into it",
    "speech": "to have texts read with it",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """Who allows what until when.

    Parameters
    ----------
    speaker
        Whose voice it is.
    uses
        Some of `papers.consent.USES`.
    until
        As `papers.consent.format_time` writes it; empty where no person's consent is needed.
    purpose
        In words; may be empty.
    """

    speaker: str
    uses: tuple[str, ...]
    until: str
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How somebody agreed: basis and liveness as in `papers.consent.Consent`, the words, the hash if spoken."""

    basis: str
    statement: str
    statement_sha256: str = ""
    liveness: str = "unchecked"


def parsed_uses(text: str) -> tuple[str, ...]:
    """Return the uses in a list with commas, in the order of `papers.consent.USES`.

    Raises
    ------
    ConsentError
        If one is unknown, or there is none.
    """
    given = {word.strip().casefold() for word in text.split(",") if word.strip()}
    if not given or not given <= set(USES):
        raise ConsentError(f"the uses are {text[:40]!r}; allowed: some of {', '.join(USES)}, with commas between")
    return tuple(use for use in USES if use in given)


def parsed_until(text: str, now: datetime) -> str:
    """Return a time as papers hold it: the end (UTC) of a day like 2027-11-22, or of the day 30d, 6w, 18m, 1y from now.

    Raises
    ------
    ConsentError
        If it is neither, or past.
    """
    allowed = "allowed: a day to come like 2027-11-22, or a time from now like 30d, 6w, 18m or 1y"
    try:
        moment = _moment(text.strip().casefold(), now)
    except (ValueError, OverflowError):
        raise ConsentError(f"the end of the consent is {text[:40]!r}; {allowed}") from None
    if moment <= now:
        raise ConsentError(f"the end of the consent, {text[:40]!r}, is past; {allowed}")
    return format_time(moment)


def statement_of(terms: Terms) -> str:
    """Return what the speaker reads, one line."""
    uses = [USE_WORDS[use] for use in terms.uses]
    allowed = uses[0] if len(uses) == 1 else f"{', '.join(uses[:-1])} and {uses[-1]}"
    purpose = f" The purpose is: {terms.purpose.rstrip('.')}." if terms.purpose else ""
    end = ""
    if terms.until:
        last = parse_time(terms.until, "until")
        end = f" until {last.day} {last:%B %Y}"
    statement = (
        f"I am {terms.speaker}. I agree that a computer imitates my voice, {allowed},{end}.{purpose} "
        "I know that I can take this back at any time."
    ).replace(",.", ".")
    if len(statement) > MAX_TEXT:
        raise ConsentError(f"the statement has {len(statement)} letters; allowed: {MAX_TEXT}; shorten name or purpose")
    return statement


def consent_of(terms: Terms, agreement: Agreement, audio_sha256: tuple[str, ...], now: datetime) -> Consent:
    """Return the record of what was agreed.

    Raises
    ------
    ConsentError
        Naming what is not allowed.
    """
    return Consent(
        new_consent_id(),
        terms.speaker,
        agreement.basis,
        terms.uses,
        terms.purpose,
        format_time(now),
        terms.until,
        agreement.statement,
        agreement.statement_sha256,
        tuple(dict.fromkeys(audio_sha256)),
        agreement.liveness,
    )


def _moment(text: str, now: datetime) -> datetime:
    return datetime.combine(_last_day(text, now.astimezone(UTC).date()), time(23, 59, 59), UTC)


def _last_day(text: str, today: date) -> date:
    span = _SPAN.fullmatch(text)
    if span is None:
        return date.fromisoformat(text)
    count, unit = int(span[1]), span[2]
    if unit in _DAYS:
        return today + timedelta(days=count * _DAYS[unit])
    months = today.month - 1 + count * _MONTHS[unit]
    first = today.replace(year=today.year + months // 12, month=months % 12 + 1, day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)  # 31 January and a month is the last of February
    return min(first + timedelta(days=today.day - 1), next_month - timedelta(days=1))
