"""`vcfx voices enroll`: recordings and a consent become a voice in the user's folder."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vcfx.errors import VcfxError, printable
from vcfx_models.data_folder import with_home

from .voices_consent import completed, given_terms, typed_agreement

if TYPE_CHECKING:
    from vcfx_models.enrolment.terms import Agreement, Terms
    from vcfx_models.papers.consent import Consent
    from vcfx_models.speaker_encoder import SpeakerEncoder
    from vcfx_models.voice_file import Voice

#: Below this a voice is likely to sound less like its speaker.
_RECOMMENDED_S = 5.0


def run(options: argparse.Namespace) -> int:
    """Enrol a voice; nothing is kept unless all of it went well."""
    from vcfx.files.reference_clips import clip_paths, read_clip, sha256_of
    from vcfx_models.enrolment.library_changes import free_path
    from vcfx_models.enrolment.terms import consent_of
    from vcfx_models.reference import voice_from_clips

    now = datetime.now(UTC)
    _check(options)
    path = free_path(options.voice, options.replace)
    given = given_terms(options, now)
    files = clip_paths(options.clips)
    encoder = speaker_encoder(options)
    voice = voice_from_clips([read_clip(file) for file in files], path.stem, encoder, metadata_of(options))
    terms = completed(given, now)
    agreement = _spoken(options, terms, voice, encoder) if options.statement_audio else typed_agreement(options, terms)
    consent = consent_of(terms, agreement, tuple(map(sha256_of, files)), now)
    keep(voice, consent, path, options)
    return 0


def speaker_encoder(options: argparse.Namespace) -> SpeakerEncoder:
    """Return the network that says who speaks, of the folder that ``--model`` names or our own."""
    from vcfx_models.speaker_encoder import SpeakerEncoder

    return SpeakerEncoder(with_home(Path(options.model)) if options.model else None)


def metadata_of(options: argparse.Namespace) -> dict[str, str]:
    """Return what the options tell of a voice's recordings."""
    told = {"source": options.source, "licence": getattr(options, "licence", None)}
    return {key: value for key, value in told.items() if value}


def keep(voice: Voice, consent: Consent, path: Path, options: argparse.Namespace) -> None:
    """Issue the voice, put it into the user's folder and tell about it."""
    from vcfx_models.enrolment.library_changes import add_voice
    from vcfx_models.papers.bundle import read_bundle
    from vcfx_models.papers.issuing import issue

    bundle = issue(voice, consent, options.issuer or "")
    add_voice(bundle, path)
    enrolled = read_bundle(bundle, str(path))
    if options.json:
        from .voices_list import facts_of, papers_of

        assert enrolled.papers is not None
        facts: dict[str, object] = {"name": path.stem, "file": str(path)}
        print(json.dumps(facts | facts_of(enrolled) | papers_of(enrolled.papers), indent=2))
        return
    for line in _told(voice, consent, path):
        print(printable(line))


def _check(options: argparse.Namespace) -> None:
    """Refuse options that are empty or do not go together, before anything is computed."""
    for name in ("speaker", "statement", "licence", "statement_audio", "source", "issuer"):
        if getattr(options, name) == "":
            raise VcfxError(f"--{name.replace('_', '-')} is empty; give a text or leave it out")
    if options.statement_audio and (options.licence or options.agreed):
        other = "--licence" if options.licence else "--agreed"
        raise VcfxError(f"{other} and --statement-audio do not go together; give one of them")


def _spoken(options: argparse.Namespace, terms: Terms, voice: Voice, encoder: SpeakerEncoder) -> Agreement:
    from vcfx.files.reference_clips import clip_paths, read_clip, sha256_of
    from vcfx_models.enrolment.spoken_statement import check_statement_heard, check_statement_speaker
    from vcfx_models.enrolment.terms import Agreement, statement_of

    from .questions import say

    (file,) = clip_paths([options.statement_audio])[:1]
    recording = read_clip(file)
    statement = options.statement or statement_of(terms)
    check_statement_speaker(recording, voice.embedding, encoder, str(file))
    if not check_statement_heard(recording, statement, str(file)):
        say(f"{file}: what it says was not checked (the recogniser is not installed, or does not know the words)")
    return Agreement("spoken", statement, sha256_of(file))


def _told(voice: Voice, consent: Consent, path: Path) -> list[str]:
    seconds = float(voice.metadata["seconds"])
    made = f"{voice.metadata['made_from']}, {seconds:.1f} s of speech, usually {voice.metadata['usual_pitch']}"
    until = f" until {consent.until[:10]}" if consent.until else ""
    lines = [f"The voice '{path.stem}' is enrolled: {made}."]
    lines.append(f"{consent.speaker} allows {', '.join(consent.uses)}{until} ({consent.basis}).")
    if seconds < _RECOMMENDED_S:
        lines.append(f"Better: {_RECOMMENDED_S:g} s of speech or more.")
    if consent.liveness != "passed":
        lines.append("Nothing shows that a living person spoke; `vcfx voices record` checks that.")
    first = {"live": "vcfx run --voice", "files": "vcfx convert IN.wav --voice"}
    commands = [f"{command} {_quoted(path.stem)}" for use, command in first.items() if use in consent.uses]
    return [*lines, *(f"  {command}" for command in commands)]


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name or "&" in name or "'" in name or "(" in name else name
