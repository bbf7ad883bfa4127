"""Give the voices that come with the program their papers: sign all of them with a key that is thrown away afterwards.

usage: python -m tools.train.sign_voices VOICES_DIR     signs again the voices that are there

Nobody can sign another voice as the publisher later, so one new voice means that all are signed again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from vcfx_models.papers.bundle import SUFFIX, write_bundle
from vcfx_models.papers.consent import USES, Consent, format_time, new_consent_id
from vcfx_models.papers.keys import SigningKey
from vcfx_models.papers.trust import PUBLISHER_FILE
from vcfx_models.voice_file import Voice
from vcfx_models.voice_on_disk import load_voice, save_bundle
from vcfx_models.whole_file import replace_file

ISSUER = "vcfx, with the program"


def sign_voices(voices: Sequence[Voice], out: Path) -> None:
    """Write a bundle for each voice and the public key that they are checked with."""
    key, now = SigningKey.new(), format_time(datetime.now(UTC))
    for voice in voices:
        bundle = write_bundle(replace(voice, papers=None), _consent(voice, now), key, now, ISSUER)
        save_bundle(bundle, out / f"{voice.name}{SUFFIX}")
    replace_file(out / PUBLISHER_FILE.name, f"{key.public.raw.hex()}\n".encode())


def _consent(voice: Voice, now: str) -> Consent:
    source, licence = voice.metadata["source"], voice.metadata["licence"]
    synthetic = "synthetic" in source
    statement = (
        f"A synthetic voice: no person's consent is needed; its speech is under {licence}."
        if synthetic
        else f"Recordings that their speaker or publisher gave away under {licence}."
    )
    basis = "synthetic" if synthetic else "licence"
    return Consent(new_consent_id(), source, basis, USES, "comes with the program", now, "", statement)


def main() -> None:
    """Sign what is there again."""
    folder = Path(sys.argv[1])
    sign_voices([load_voice(path) for path in sorted(folder.glob(f"*{SUFFIX}"))], folder)


if __name__ == "__main__":
    main()
