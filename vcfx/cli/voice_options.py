"""The options of `vcfx convert` and `vcfx run` that put another voice in front of the effects."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from vcfx.errors import VcfxError

#: option -> the node's parameter
NUMBERS: Final = {
    "pitch": "pitch_semitones",
    "formant": "formant_semitones",
    "expressiveness": "expressiveness",
    "similarity": "similarity",
    "clarity": "clarity",
}


def add_voice_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group("voice", "another person's voice, in front of the preset's effects, if any")
    who = group.add_mutually_exclusive_group()
    who.add_argument("--voice", metavar="V", help="a voice's name (see `vcfx voices list`) or file")
    who.add_argument("--reference", metavar="CLIP", nargs="+", help="recordings of one person, 5 s of speech or more")
    group.add_argument(
        "--consent", metavar="WHO", help="with --reference: whose voice it is, who lets you use it for this command"
    )
    group.add_argument("--pitch", type=float, metavar="N", help="moves the voice's pitch: -24 to 24 semitones")
    group.add_argument("--formant", type=float, metavar="N", help="moves its resonances: -6 to 6 semitones")
    group.add_argument("--expressiveness", type=float, metavar="N", help="0 monotonous, 1 as spoken, at most 2")
    group.add_argument("--similarity", type=float, metavar="N", help="0 nobody's voice, 1 that voice, at most 1.5")
    group.add_argument("--clarity", type=float, metavar="N", help="sharpens the resonances: 0 to 1")
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), help="what computes the voice (default: auto)")
    group.add_argument("--model", metavar="FOLDER", help="networks to use instead of those of vcfx")


def wants_voice(options: argparse.Namespace) -> bool:
    """Whether any of the options was given."""
    names = ("voice", "reference", "consent", "device", "model", *NUMBERS)
    return any(getattr(options, name) is not None for name in names)


def voice_label(options: argparse.Namespace) -> str:
    """Return what to call the voice in file names."""
    given = options.voice or (options.reference[0] if options.reference else "voice")
    return Path(given).stem


@contextlib.contextmanager
def voice_parameters(options: argparse.Namespace, use: str) -> Iterator[dict[str, Any]]:
    """Give the parameters of the node `voice`; a voice made of recordings has a file for as long as this lasts.

    Parameters
    ----------
    options
        Of the command line.
    use
        What the voice will be used for: ``live`` or ``files``.

    Raises
    ------
    VcfxError
        If voice, recordings, networks or device are not there or will not do.
    """
    parameters: dict[str, Any] = {
        parameter: getattr(options, name) for name, parameter in NUMBERS.items() if getattr(options, name) is not None
    }
    parameters |= {name: getattr(options, name) for name in ("device", "model") if getattr(options, name) is not None}
    _check(options, parameters, use)
    if options.reference is None:
        yield parameters | ({} if options.voice is None else {"voice": options.voice})
        return
    with tempfile.TemporaryDirectory(prefix="vcfx-voice-") as folder:
        yield parameters | {"voice": str(_made_of_recordings(options, use, Path(folder)))}


def _check(options: argparse.Namespace, parameters: dict[str, Any], use: str) -> None:
    from vcfx.hosts.neural_voice import NeuralVoice
    from vcfx_models.load_networks import check_networks
    from vcfx_models.voice_library import find_voice

    if "" in (options.voice, options.model, *(options.reference or ())):
        raise VcfxError("a voice, a recording or a folder is empty; give a name")
    NeuralVoice(**parameters)
    if options.voice is not None:
        find_voice(options.voice, use, notes_use=False)
    check_networks(options.model or "", options.device or "auto")


def _uses(options: argparse.Namespace, use: str) -> tuple[str, ...]:
    """Return what one command does with a voice: a recording of a live run is kept like any file."""
    records = getattr(options, "record", None) is not None and options.record_sides != "dry"
    return (use, "files") if records and use != "files" else (use,)


def _made_of_recordings(options: argparse.Namespace, use: str, folder: Path) -> Path:
    """Enrol a voice for this command alone: what its speaker was asked is on record, and good for a day."""
    from vcfx.files.reference_clips import clip_paths, read_clip, sha256_of
    from vcfx_models.enrolment.terms import Agreement, Terms, consent_of
    from vcfx_models.papers.bundle import SUFFIX
    from vcfx_models.papers.consent import format_time
    from vcfx_models.papers.issuing import issue
    from vcfx_models.reference import voice_from_clips
    from vcfx_models.voice_on_disk import save_bundle

    from .voices_enroll import speaker_encoder

    if not options.consent:
        raise VcfxError(
            "a voice made of recordings needs its speaker's consent; say whose it is with --consent WHO, "
            "or enrol it for longer with: vcfx voices enroll"
        )
    now = datetime.now(UTC)
    terms = Terms(options.consent, _uses(options, use), format_time(now + timedelta(days=1)))
    agreement = Agreement(
        "typed", f"{options.consent} agreed that this voice is used by one command; so says the user."
    )
    files = clip_paths(options.reference)
    consent = consent_of(terms, agreement, tuple(map(sha256_of, files)), now)
    voice = voice_from_clips([read_clip(file) for file in files], voice_label(options), speaker_encoder(options))
    path = folder / f"reference{SUFFIX}"
    save_bundle(issue(voice, consent), path)
    return path
