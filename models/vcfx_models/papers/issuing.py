"""Give papers to a voice that is enrolled here."""

from __future__ import annotations

from datetime import UTC, datetime

from vcfx_models.voice_file import Voice

from . import audit
from .bundle import read_bundle, write_bundle
from .consent import Consent, format_time
from .keys import create_own_key


def issue(voice: Voice, consent: Consent, issuer_name: str = "") -> bytes:
    """Return a bundle signed by this installation, after the enrolment was logged.

    Raises
    ------
    ConsentError
        If the key cannot be made or the log cannot be written: then nothing is signed.
    """
    key = create_own_key()
    bundle = write_bundle(voice, consent, key, format_time(datetime.now(UTC)), issuer_name)
    papers = read_bundle(bundle, voice.name).papers
    assert papers is not None
    audit.append(
        "enrolled",
        {
            "voice": voice.name,
            "voice_id": papers.voice_id,
            "consent": consent.consent_id,
            "speaker": consent.speaker,
            "basis": consent.basis,
            "uses": list(consent.uses),
            "until": consent.until,
            "liveness": consent.liveness,
        },
    )
    return bundle
