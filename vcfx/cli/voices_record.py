"""`vcfx voices record`: a person says that they agree, speaks, and shows that they are there: a voice with papers."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vcfx.errors import VcfxError
from vcfx_models.data_folder import with_home

from .questions import ask, can_ask, say
from .recording_stages import FileRecordist, Recordist, Stage, open_recordist, sha256_of_bytes, wave_file
from .voices_consent import completed, given_terms
from .voices_enroll import keep, metadata_of, speaker_encoder

if TYPE_CHECKING:
    from vcfx_models.liveness.verdict import LivenessVerdict
    from vcfx_models.reference import Clip
    from vcfx_models.speaker_encoder import SpeakerEncoder
    from vcfx_models.voice_file import Voice

MAX_TRIES: Final = 3
#: The answer ends by itself a little before its time is over, so that it is not late by a block.
_MARGIN_S: Final = 0.5
SAMPLE_TEXT: Final = (
    "Read this, or speak freely for fifteen seconds: The ferry leaves at half past nine, but who would go out in "
    "such weather? We could wait for the sun, drink a cup of tea and watch the gulls fight over a piece of bread. "
    "Yesterday a boy asked me whether fish ever get thirsty. What a question! I told him I would think about it."
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was said: the statement, whether it was heard to be that, the sample, and the voice that both make."""

    statement: Clip
    is_heard: bool
    sample: Clip
    voice: Voice


def run(options: argparse.Namespace) -> int:
    """Record and enrol; nothing is kept unless all of it went well."""
    from vcfx_models.enrolment.library_changes import free_path
    from vcfx_models.enrolment.terms import Agreement, consent_of, statement_of

    now = datetime.now(UTC)
    path = free_path(options.voice, options.replace)
    given = given_terms(options, now)
    kept = _kept_paths(options.keep, path.stem)
    skips = not options.recordings and _done_without(options, _missing_detector())
    encoder = speaker_encoder(options)
    with contextlib.ExitStack() as opened:
        recordist = _recordist(options, opened)
        skips = skips or _done_without(options, recordist.no_person)
        terms = completed(given, now)
        statement = statement_of(terms)
        recorded = _recorded(recordist, statement, path.stem, encoder, options)
        is_live = not skips and recorded.is_heard and _is_live(recordist, recorded.voice, encoder)
    if not is_live:
        _accept_unchecked(options)
    files = {"statement": wave_file(recorded.statement), "sample": wave_file(recorded.sample)}
    hashes = [sha256_of_bytes(content) for content in files.values()]
    agreement = Agreement("spoken", statement, hashes[0], "passed" if is_live else "unchecked")
    consent = consent_of(terms, agreement, tuple(hashes), now)
    try:
        for name, target in kept.items():
            _write(target, files[name])
        keep(recorded.voice, consent, path, options)
    except BaseException:
        for target in kept.values():  # none of them was there before
            target.unlink(missing_ok=True)
        raise
    return 0


def _recordist(options: argparse.Namespace, opened: contextlib.ExitStack) -> Recordist:
    if options.recordings:
        return FileRecordist(options.recordings)
    return opened.enter_context(open_recordist(options.input))


def _done_without(options: argparse.Namespace, reason: str) -> bool:
    """Whether liveness cannot be checked, for that reason, and need not be.

    Raises
    ------
    VcfxError
        If it cannot be checked, and the options do not do without.
    """
    if reason and not options.unchecked:
        raise VcfxError(f"{reason}; to enrol the voice without that check: --unchecked")
    if reason:
        say(f"{reason}: the voice is enrolled as unchecked.")
    return bool(reason)


def _missing_detector() -> str:
    """Return what is not installed of that which tells living people from others."""
    from vcfx_models.errors import ModelError
    from vcfx_models.liveness.live_detector import LiveDetector
    from vcfx_models.liveness.phrase_check import PhraseListener

    try:
        PhraseListener()
        LiveDetector()
    except ModelError as error:
        return str(error)
    return ""


def _recorded(
    recordist: Recordist, statement: str, name: str, encoder: SpeakerEncoder, options: argparse.Namespace
) -> Recorded:
    from vcfx_models.enrolment.spoken_statement import check_statement_heard, check_statement_speaker
    from vcfx_models.errors import ConsentError
    from vcfx_models.reference import heard_clip, voice_from_clips

    unheard: list[Clip] = []

    def check_statement(clip: Clip) -> None:
        heard_clip(clip)
        try:
            if not check_statement_heard(clip, statement, clip.file):
                say("What the statement says was not checked: the recogniser does not know its words.")
        except ConsentError as error:
            if not options.unchecked:
                raise
            unheard.append(clip)
            say(f"{error}: the voice is enrolled as unchecked.")

    said = _until_good(recordist, Stage("statement", statement), check_statement)
    sample = _until_good(recordist, Stage("sample", SAMPLE_TEXT), lambda clip: _check_sample(clip, name, encoder))
    voice = voice_from_clips([sample, said], name, encoder, metadata_of(options))
    check_statement_speaker(said, voice.embedding, encoder, said.file)
    return Recorded(said, not unheard, sample, voice)


def _check_sample(clip: Clip, name: str, encoder: SpeakerEncoder) -> None:
    from vcfx_models.reference import voice_from_clips

    voice_from_clips([clip], name, encoder)


def _until_good(recordist: Recordist, stage: Stage, check: Callable[[Clip], None]) -> Clip:
    """Record until a check is passed, three times at most; files do not get better."""
    for left in reversed(range(1 if isinstance(recordist, FileRecordist) else MAX_TRIES)):
        clip = recordist.record(stage)
        try:
            check(clip)
        except VcfxError as error:
            if not left:
                raise
            say(f"That will not do: {error}. Please once more.")
            continue
        return clip
    raise AssertionError("a last try either returns or raises")


def _is_live(recordist: Recordist, voice: Voice, encoder: SpeakerEncoder) -> bool:
    """Ask for a random phrase, a fresh one each time, and say what was wrong with the answer."""
    say("Now six words that nobody could know before. Say them as soon as they are shown.")
    for left in reversed(range(MAX_TRIES)):
        verdict = _answered(recordist, voice, encoder)
        if verdict.passed:
            say("A living person spoke, and it is the same one.")
            return True
        for reason in verdict.reasons:
            say(f"Not passed: {reason}.")
        if left:
            say(f"Please once more, with other words ({left} {'try' if left == 1 else 'tries'} left).")
    return False


def _answered(recordist: Recordist, voice: Voice, encoder: SpeakerEncoder) -> LivenessVerdict:
    from vcfx_models.errors import VoiceError
    from vcfx_models.liveness.challenge import SECONDS_ALLOWED, Challenge, new_challenge
    from vcfx_models.liveness.verdict import LivenessVerdict, judge_answer

    if can_ask():
        ask("Enter when you are ready")
    challenge = new_challenge(time.monotonic())
    shown: list[Challenge] = []
    stage = Stage("phrase", challenge.phrase, SECONDS_ALLOWED - _MARGIN_S, waits=False)
    answer = recordist.record(stage, lambda: shown.append(Challenge(challenge.phrase, time.monotonic())))
    answered_s = time.monotonic()
    try:
        return judge_answer(shown[0], answer, voice.embedding, answered_s, encoder)
    except VoiceError as error:  # an answer too short to be judged
        return LivenessVerdict(False, 0.0, 0.0, 0.0, (str(error),))


def _accept_unchecked(options: argparse.Namespace) -> None:
    """Go on without liveness only if somebody says so in so many words."""
    if options.unchecked:
        return
    failed = f"nothing shows that a living person spoke, after {MAX_TRIES} tries"
    word = ask(f'{failed}. Type "unchecked" to enrol the voice so, anything else to give up') if can_ask() else ""
    if word.casefold() != "unchecked":
        raise VcfxError(f"{failed}; nothing was enrolled")


def _kept_paths(folder: str | None, name: str) -> dict[str, Path]:
    """Return where the recordings will be kept; refused early if they cannot be."""
    if folder is None:
        return {}
    place = with_home(Path(folder))
    if not place.is_dir():
        raise VcfxError(f"there is no folder '{place}' to keep the recordings in")
    paths = {part: place / f"{name}-{part}.wav" for part in ("statement", "sample")}
    for path in paths.values():
        if os.path.lexists(path):
            raise VcfxError(f"'{path}' is there already; give another folder")
    return paths


def _write(path: Path, content: bytes) -> None:
    from vcfx_models.whole_file import replace_file

    try:
        replace_file(path, content)
    except OSError as error:
        raise VcfxError(f"'{path}' cannot be written: {error.strerror or error}") from None
