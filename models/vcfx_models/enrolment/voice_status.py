"""How a voice stands, in a word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from ..errors import ConsentError
from ..papers.admission import is_revoked
from ..papers.bundle import Papers
from ..papers.consent import parse_time
from ..papers.trust import standing
from ..voice_library import VoiceInfo

#: The voice may be used as its papers say.
USABLE: Final = "usable"


def status_of(info: VoiceInfo) -> str:
    """Return ``usable``, ``expired``, ``revoked``, ``not trusted``, ``not yet``, ``damaged`` or ``uncheckable``."""
    if info.voice is None or info.voice.papers is None:
        return "damaged"
    papers = info.voice.papers
    if any(use not in info.refused for use in papers.consent.uses):
        return USABLE
    try:
        return ended(papers) or ("not trusted" if standing(papers.issuer) == "unknown" else "uncheckable")
    except ConsentError:
        return "uncheckable"


def ended(papers: Papers, now: datetime | None = None) -> str:
    """Return ``revoked``, ``expired`` or ``not yet`` whoever signed the papers; empty if none of these.

    Raises
    ------
    ConsentError
        If the list of revocations or the log is damaged.
    """
    now, consent = now or datetime.now(UTC), papers.consent
    if is_revoked(papers):
        return "revoked"
    if consent.until and now >= parse_time(consent.until, "until"):
        return "expired"
    return "not yet" if now < parse_time(consent.given_at, "given_at") else ""
