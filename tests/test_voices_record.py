"""`vcfx voices record`: statement, sample, random phrase; nothing is kept unless all of it went well."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile

from vcfx.__main__ import main
from vcfx.cli import voices_record
from vcfx.cli.recording_stages import Stage
from vcfx_models.errors import ModelError, VoiceError
from vcfx_models.liveness.challenge import Challenge
from vcfx_models.liveness.verdict import LivenessVerdict
from vcfx_models.reference import Clip
from vcfx_models.voice_library import find_voice
from voice_shelf import AGREED, Shelf, shelf_fixture

shelf = pytest.fixture(shelf_fixture)
TERMS = AGREED[:-1]
PASSED = LivenessVerdict(True, 1.0, 0.9, 3.0, ())
FAILED = LivenessVerdict(False, 0.2, 0.9, 3.0, ("the phrase was not heard: 1 of 6 words; say all of it, clearly",))


class Person:
    """Somebody at the microphone, who says the clip at each stage, or does what a test wants."""

    def __init__(self, sound: Clip) -> None:
        self.sound = sound
        self.stages: list[Stage] = []
        self.acts: dict[str, Callable[[], Clip]] = {}
        self.closed = False
        self.no_person = ""

    def record(self, stage: Stage, on_shown: Callable[[], None] | None = None) -> Clip:
        self.stages.append(stage)
        if on_shown is not None:
            on_shown()
        return self.acts.get(stage.title, lambda: self.sound)()

    @contextmanager
    def opened(self, _device: str | None) -> Iterator[Person]:
        try:
            yield self
        finally:
            self.closed = True


@pytest.fixture
def person(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Person:
    found = Person(Clip(shelf.sound[None], shelf.rate_hz, "the recording"))
    monkeypatch.setattr(voices_record, "open_recordist", found.opened)
    monkeypatch.setattr("vcfx_models.enrolment.spoken_statement.heard_share", lambda *_: 0.9)
    monkeypatch.setattr("vcfx_models.liveness.live_detector.LiveDetector", lambda: None)
    monkeypatch.setattr("vcfx_models.liveness.phrase_check.PhraseListener", lambda: None)
    return found


def judging(monkeypatch: pytest.MonkeyPatch, *verdicts: LivenessVerdict | VoiceError) -> list[Challenge]:
    asked: list[Challenge] = []

    def judge(challenge: Challenge, *_: object) -> LivenessVerdict:
        verdict = verdicts[len(asked)]
        asked.append(challenge)
        if isinstance(verdict, VoiceError):
            raise verdict
        return verdict

    monkeypatch.setattr("vcfx_models.liveness.verdict.judge_answer", judge)
    return asked


def test_a_living_person_is_enrolled_as_one(shelf: Shelf, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = judging(monkeypatch, FAILED, VoiceError("the answer holds 0.2 s of speech"), PASSED)
    Path("kept").mkdir()
    shelf.run("record", "anna", *TERMS, *shelf.model, "--keep", "kept")
    assert [stage.title for stage in person.stages] == ["statement", "sample", "phrase", "phrase", "phrase"]
    assert person.stages[0].text.startswith("I am Anna Muster. I agree")
    assert not person.stages[2].waits
    assert len({challenge.phrase for challenge in asked}) == 3, "a fresh phrase each time"
    assert [challenge.phrase for challenge in asked] == [stage.text for stage in person.stages[2:]]
    voice = find_voice("anna", "live", needs_liveness=True)
    assert voice.papers is not None
    consent = voice.papers.consent
    assert (consent.basis, consent.liveness) == ("spoken", "passed")
    kept = {
        part: hashlib.sha256(Path(f"kept/anna-{part}.wav").read_bytes()).hexdigest() for part in ("statement", "sample")
    }
    assert consent.statement_sha256 == kept["statement"]
    assert set(consent.audio_sha256) == set(kept.values())
    assert person.closed


def test_three_failures_enrol_nobody(shelf: Shelf, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    judging(monkeypatch, FAILED, FAILED, FAILED)
    sentence = shelf.refused("record", "anna", *TERMS, *shelf.model)
    assert sentence == "vcfx: nothing shows that a living person spoke, after 3 tries; nothing was enrolled"
    assert (shelf.names(), shelf.events()) == ([], [])
    judging(monkeypatch, FAILED, FAILED, FAILED)
    found = shelf.json("record", "anna", *TERMS, *shelf.model, "--unchecked")
    assert (found["basis"], found["liveness"]) == ("spoken", "unchecked")


@pytest.mark.parametrize(("word", "enrols"), [("unchecked", True), ("yes", False), ("", False)])
def test_doing_without_takes_the_word(
    shelf: Shelf, person: Person, monkeypatch: pytest.MonkeyPatch, word: str, enrols: bool
) -> None:
    judging(monkeypatch, FAILED, FAILED, FAILED)
    monkeypatch.setattr(voices_record, "can_ask", lambda: True)
    monkeypatch.setattr(voices_record, "ask", lambda question: word)
    code = main(["voices", "record", "anna", *TERMS, *shelf.model])
    assert (code == 0) is enrols
    assert bool(shelf.names()) is enrols


@pytest.mark.parametrize("stage", ["statement", "sample", "phrase"])
def test_ctrl_c_at_any_moment_leaves_nothing(
    shelf: Shelf, person: Person, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def interrupted() -> Clip:
        raise KeyboardInterrupt

    person.acts[stage] = interrupted
    Path("kept").mkdir()
    assert main(["voices", "record", "anna", *TERMS, *shelf.model, "--keep", "kept"]) == 130
    assert (shelf.names(), shelf.events(), list(Path("kept").iterdir())) == ([], [], [])
    assert person.closed


def test_a_recording_that_will_not_do_is_made_again(
    shelf: Shelf, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    judging(monkeypatch, PASSED)
    silent = Clip(0.0 * person.sound.audio, person.sound.sample_rate, "the sample")
    clips = iter([silent, silent, person.sound])
    person.acts["sample"] = lambda: next(clips)
    shelf.run("record", "anna", *TERMS, *shelf.model)
    assert [stage.title for stage in person.stages].count("sample") == 3
    person.acts["statement"] = lambda: silent
    assert "the sample: is silent" in shelf.refused("record", "bert", *TERMS, *shelf.model)
    assert [stage.title for stage in person.stages[5:]] == ["statement"] * 3


def test_a_failed_write_takes_the_recordings_back(
    shelf: Shelf, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    judging(monkeypatch, PASSED)
    Path("kept").mkdir()

    def full(*_: object) -> None:
        raise VoiceError("the disk is full")

    monkeypatch.setattr("vcfx_models.enrolment.library_changes.save_bundle", full)
    assert "the disk is full" in shelf.refused("record", "anna", *TERMS, *shelf.model, "--keep", "kept")
    assert (shelf.names(), list(Path("kept").iterdir())) == ([], [])


def test_what_is_missing_is_said_before_anything_is_recorded(
    shelf: Shelf, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("kept").mkdir()
    Path("kept/anna-sample.wav").write_text("mine")
    record = ["record", "anna", *TERMS, *shelf.model]
    assert "'kept/anna-sample.wav' is there already" in shelf.refused(*record, "--keep", "kept")
    assert "there is no folder 'gone'" in shelf.refused(*record, "--keep", "gone")
    assert "give also --speaker, --uses, --until" in shelf.refused("record", "anna", *shelf.model)

    def missing() -> None:
        raise ModelError("hearing needs pocketsphinx: pip install it")

    monkeypatch.setattr("vcfx_models.liveness.phrase_check.PhraseListener", missing)
    assert "pip install it; to enrol the voice without that check: --unchecked" in shelf.refused(*record)
    assert not person.stages
    assert Path("kept/anna-sample.wav").read_text() == "mine"
    assert shelf.json(*record, "--unchecked")["liveness"] == "unchecked"
    assert [stage.title for stage in person.stages] == ["statement", "sample"]


def test_recordings_from_files_are_never_live(shelf: Shelf, person: Person) -> None:
    soundfile.write("said.wav", shelf.sound, shelf.rate_hz)
    record = ["record", "anna", *TERMS, *shelf.model, "--from", "said.wav", "clip.wav"]
    assert "recordings from files cannot show that a living person speaks; to enrol" in shelf.refused(*record)
    found = shelf.json(*record, "--unchecked")
    assert (found["liveness"], found["basis"], found["made_from"]) == ("unchecked", "spoken", "2 recordings")
    assert "there is no such recording" in shelf.refused(*record[:-1], "none.wav", "--unchecked", "--replace")


def test_a_statement_that_is_not_heard_is_never_live(
    shelf: Shelf, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vcfx_models.enrolment.spoken_statement.heard_share", lambda *_: 0.1)
    record = ["record", "anna", *TERMS, *shelf.model]
    assert "the statement was not heard (10% of its words; needed: 50%)" in shelf.refused(*record)
    assert [stage.title for stage in person.stages] == ["statement"] * 3
    assert shelf.names() == []
    assert shelf.json(*record, "--unchecked")["liveness"] == "unchecked"
    assert [stage.title for stage in person.stages[3:]] == ["statement", "sample"], "nobody is asked for a phrase"


def test_what_records_programs_shows_nobody(shelf: Shelf, person: Person) -> None:
    person.no_person = "'Monitor of Speakers' records what programs play; a living person needs a microphone"
    record = ["record", "anna", *TERMS, *shelf.model]
    assert "records what programs play; a living person needs a microphone; to enrol" in shelf.refused(*record)
    assert not person.stages
    assert shelf.json(*record, "--unchecked")["liveness"] == "unchecked"
    assert [stage.title for stage in person.stages] == ["statement", "sample"]


def test_without_a_terminal_or_a_microphone(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcfx_models.liveness.live_detector.LiveDetector", lambda: None)
    monkeypatch.setattr("vcfx_models.liveness.phrase_check.PhraseListener", lambda: None)
    sentence = shelf.refused("record", "anna", *TERMS, *shelf.model)
    assert "recording needs a terminal; give recordings with --from STATEMENT SAMPLE" in sentence
