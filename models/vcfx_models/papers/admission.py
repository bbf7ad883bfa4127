"""Whether a voice may be used: the one gate that every path to the engine goes through."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Final

from vcfx_models.errors import ConsentError
from vcfx_models.voice_file import Voice

from . import audit
from .bundle import Papers
from .consent import USES, parse_time
from .keys import own_key
from .revocation import kept_revocations
from .trust import publisher_key, standing

#: Behind these voices stands nobody whose consent could end: they are used even where no log can be written.
WITHOUT_A_PERSON: Final = ("licence", "synthetic")
#: Clocks of two machines, and of one before and after it was set, differ by less.
CLOCK_SLACK: Final = timedelta(hours=1)


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
    papers = voice.papers
    reason = "has no papers; enrol it anew" if papers is None else refusal(papers, use, needs_liveness)
    if reason:
        with contextlib.suppress(ConsentError):  # the refusal stands, logged or not
            audit.append("refused", _detail(voice, file) | {"use": use, "reason": reason})
        raise ConsentError(f"{file}: {reason}")
    assert papers is not None
    if notes_use:
        try:
            audit.append("used", _detail(voice, file) | {"use": use})
        except ConsentError:
            if papers.consent.basis not in WITHOUT_A_PERSON:
                raise
    return voice


def refusal(papers: Papers, use: str, needs_liveness: bool = False, now: datetime | None = None) -> str:
    """Return why a voice may not be used so, as the end of a sentence that begins with its file; empty if it may."""
    consent, now = papers.consent, now or datetime.now(UTC)
    try:
        if consent.basis in WITHOUT_A_PERSON and papers.issuer == publisher_key():
            return ""
        if standing(papers.issuer) == "unknown":
            return (
                f"is signed with the key {papers.issuer.fingerprint}, which this installation does not trust; "
                "if you do, import it with: vcfx voices import FILE --trust"
            )
        logged_at = audit.check_head()
        if is_revoked(papers):
            return f"the consent of {consent.speaker} was taken back"
    except ConsentError as error:
        return f"cannot be checked: {error}"
    if logged_at and now < parse_time(logged_at, "the log's last time") - CLOCK_SLACK:
        return f"cannot be checked: the clock is before the audit log's last entry ({logged_at}); set the clock"
    return _outside(papers, use, needs_liveness, now)


def is_revoked(papers: Papers) -> bool:
    """Whether a genuine notice, or the log, says that the consent was taken back."""
    own = own_key()
    public = None if own is None else own.public
    if any(notice.concerns(papers, public) for notice in kept_revocations()):
        return True
    return audit.knows_revoked(papers.consent.consent_id)


def _outside(papers: Papers, use: str, needs_liveness: bool, now: datetime) -> str:
    consent = papers.consent
    if now < parse_time(consent.given_at, "given_at") - CLOCK_SLACK:
        return f"the consent of {consent.speaker} begins only on {consent.given_at}"
    if consent.until and now >= parse_time(consent.until, "until"):
        return f"the consent of {consent.speaker} ended on {consent.until}"
    if use not in consent.uses:
        return f"the consent of {consent.speaker} is for {', '.join(consent.uses)}, not for {use}"
    if needs_liveness and consent.liveness != "passed":
        return "was enrolled without a check that a living person spoke, which is asked for here"
    return ""


def _detail(voice: Voice, file: str) -> audit.Detail:
    detail: audit.Detail = {"file": file, "voice": voice.name}
    if voice.papers is not None:
        detail |= {"voice_id": voice.papers.voice_id, "consent": voice.papers.consent.consent_id}
    return detail
