"""Whether a voice may be used: the one gate that every path to the engine goes through."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from vcfx_models.errors import ConsentError
from vcfx_models.voice_file import Voice

from . import audit
from .bundle import Papers
from .consent import USES, Consent, parse_time
from .keys import own_key
from .revocation import kept_revocations
from .trust import publisher_key, standing

#: Behind these voices stands nobody whose consent could end: they are used even where no log can be written.
WITHOUT_A_PERSON: Final = ("licence", "synthetic")
#: Clocks of two machines, and of one before and after it was set, differ by less.
CLOCK_SLACK: Final = timedelta(hours=1)
#: Of a speaker's name in a sentence; it may have 1000.
_SHOWN_LETTERS: Final = 60


def admit(voice: Voice, file: str, use: str, needs_liveness: bool = False, notes_use: bool = True) -> Voice:
    """Return the voice if its papers allow this use now; the log tells of uses and of refusals.

    Parameters
    ----------
    voice
        As `bundle.read_bundle` returns it.
    file
        How errors name it.
    use
        One of `consent.USES`.
    needs_liveness
        Whether only a voice will do that was enrolled by a person found living.
    notes_use
        Whether to write the use into the log (refusals always are).

    Raises
    ------
    ConsentError
        One sentence: file and reason.
    """
    if use not in USES:
        raise ConsentError(f"the use {use!r} is unknown; allowed: {', '.join(USES)}")
    papers, now = voice.papers, datetime.now(UTC)
    reason = "has no papers; enrol it anew" if papers is None else refusal(papers, use, needs_liveness, now)
    if reason or papers is None:
        note_refusal(use, reason, _detail(voice, file), now)
        raise ConsentError(f"{file}: {reason}")
    if notes_use:
        try:
            audit.append("used", _detail(voice, file) | {"use": use}, now)
        except ConsentError:
            if not _stands_alone(papers):
                raise
    return voice


def note_refusal(use: str, reason: str, detail: audit.Detail, now: datetime | None = None) -> None:
    """Write a refusal into the log; it stands, logged or not."""
    with contextlib.suppress(ConsentError):
        audit.append("refused", detail | {"use": use, "reason": reason[:1_000]}, now)


def refusal(papers: Papers, use: str, needs_liveness: bool = False, now: datetime | None = None) -> str:
    """Return why a voice may not be used so, as the end of a sentence that begins with its file; empty if it may."""
    return _withheld(papers, now or datetime.now(UTC)) or _unfit(papers.consent, use, needs_liveness)


def refusals(papers: Papers, now: datetime | None = None) -> Mapping[str, str]:
    """Return the uses that are not allowed, each with the reason."""
    withheld = _withheld(papers, now or datetime.now(UTC))
    reasons = {use: withheld or _unfit(papers.consent, use, needs_liveness=False) for use in USES}
    return {use: reason for use, reason in reasons.items() if reason}


def is_revoked(papers: Papers) -> bool:
    """Whether a genuine notice, or the log, says that the consent was taken back.

    Raises
    ------
    ConsentError
        If the list or the log is damaged or cannot be read.
    """
    own = own_key()
    public = None if own is None else own.public
    if any(notice.concerns(papers, public) for notice in kept_revocations()):
        return True
    return audit.knows_revoked(papers.consent.consent_id, papers.issuer.raw.hex())


def _stands_alone(papers: Papers) -> bool:
    """Whether neither a person nor this installation's lists have a say."""
    return papers.consent.basis in WITHOUT_A_PERSON and papers.issuer == publisher_key()


def _withheld(papers: Papers, now: datetime) -> str:
    """Return why the voice may not be used at all."""
    try:
        if _stands_alone(papers):
            return ""
        if standing(papers.issuer) == "unknown":
            return (
                f"is signed with the key {papers.issuer.fingerprint}, which this installation does not trust; "
                "if you do, import it with: vcfx voices import FILE --trust"
            )
        logged_at = audit.check_head()
        if is_revoked(papers):
            return f"the consent of {_whose(papers.consent)} was taken back"
        if logged_at and now < parse_time(logged_at, "the log's last time") - CLOCK_SLACK:
            return f"cannot be checked: the clock is before the audit log's last entry ({logged_at}); set the clock"
    except ConsentError as error:
        return f"cannot be checked: {error}"
    return _outside(papers.consent, now)


def _outside(consent: Consent, now: datetime) -> str:
    if now < parse_time(consent.given_at, "given_at") - CLOCK_SLACK:
        return f"the consent of {_whose(consent)} begins only on {consent.given_at}"
    if consent.until and now >= parse_time(consent.until, "until"):
        return f"the consent of {_whose(consent)} ended on {consent.until}"
    return ""


def _unfit(consent: Consent, use: str, needs_liveness: bool) -> str:
    if use not in consent.uses:
        return f"the consent of {_whose(consent)} is for {', '.join(consent.uses)}, not for {use}"
    if needs_liveness and consent.liveness != "passed":
        return "was enrolled without a check that a living person spoke, which is asked for here"
    return ""


def _whose(consent: Consent) -> str:
    speaker = consent.speaker
    return speaker if len(speaker) <= _SHOWN_LETTERS else f"{speaker[:_SHOWN_LETTERS]}..."


def _detail(voice: Voice, file: str) -> audit.Detail:
    detail: audit.Detail = {"file": file, "voice": voice.name}
    if voice.papers is not None:
        detail |= {"voice_id": voice.papers.voice_id, "consent": voice.papers.consent.consent_id}
    return detail
