"""`vcfx voices enroll`, `list`, `show`, `rename` and `remove`: as a person meets them."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vcfx.__main__ import main
from vcfx.cli import questions, voices_consent
from vcfx.cli.voices_list import fitted
from vcfx.control.catalogue import _voices
from vcfx_models.papers.consent import format_time
from vcfx_models.voice_library import find_voice
from voice_shelf import AGREED, Shelf, shelf_fixture

shelf = pytest.fixture(shelf_fixture)


def test_a_clip_and_a_consent_become_a_voice(shelf: Shelf) -> None:
    found = shelf.enroll("anna")
    assert found["name"] == "anna"
    assert shelf.names() == ["anna.vcfxvoice"]
    voice = find_voice("anna", "files")
    assert voice.papers is not None
    consent = voice.papers.consent
    assert (consent.speaker, consent.uses, consent.basis) == ("Anna Muster", ("live", "files"), "typed")
    assert consent.statement.startswith("I am Anna Muster. I agree that a computer imitates my voice")
    assert consent.liveness == "unchecked"
    assert consent.audio_sha256 == (hashlib.sha256(Path("clip.wav").read_bytes()).hexdigest(),)
    assert re.fullmatch(r"\d+ to \d+ Hz", voice.metadata["usual_pitch"])
    assert (found["consent"], found["voice_id"]) == (consent.consent_id, voice.papers.voice_id)
    assert shelf.events()[-1][0] == "used"
    assert shelf.events()[-2][0] == "enrolled"


def test_folders_several_clips_formats_and_rates(shelf: Shelf) -> None:
    Path("more/deep").mkdir(parents=True)
    soundfile.write("more/a.flac", shelf.sound[::2], shelf.rate_hz // 2)
    soundfile.write("more/deep/b.ogg", np.stack([shelf.sound, shelf.sound]).T, shelf.rate_hz)
    Path("more/notes.txt").write_text("no sound")
    found = shelf.json("enroll", "anna", "more", "clip.wav", "clip.wav", *AGREED, *shelf.model)
    assert found["made_from"] == "3 recordings"
    assert len(found["audio_sha256"]) == 3


@pytest.mark.parametrize(
    ("options", "basis", "statement"),
    [
        (["--statement", "Ja, das darf man."], "typed", "Ja, das darf man."),
        (["--licence", "CC0-1.0"], "licence", "Recordings that their speaker or publisher gave away under CC0-1.0."),
    ],
)
def test_other_ways_to_agree(shelf: Shelf, options: list[str], basis: str, statement: str) -> None:
    end = [] if basis == "licence" else ["--until", "1y"]
    found = shelf.enroll("anna", "--speaker", "Anna", "--uses", "files", *end, *options, "--purpose", "a play")
    assert (found["basis"], found["statement"], found["purpose"]) == (basis, statement, "a play")
    assert found["uses"] == ["files"]
    assert bool(found["until"]) == bool(end)
    assert found.get("licence") == (options[1] if basis == "licence" else None)


def test_a_spoken_statement_is_of_the_same_speaker(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcfx_models.enrolment.spoken_statement.heard_share", lambda *_: 0.9)
    soundfile.write("said.wav", shelf.sound, shelf.rate_hz)
    terms = [*AGREED[:-1], "--statement-audio", "said.wav"]
    found = shelf.enroll("anna", *terms)
    assert found["basis"] == "spoken"
    assert found["statement_sha256"] == hashlib.sha256(Path("said.wav").read_bytes()).hexdigest()
    with monkeypatch.context() as other:
        other.setattr("vcfx_models.enrolment.spoken_statement.speaker_similarity", lambda *_: 0.31)
        sentence = shelf.refused("enroll", "b", "clip.wav", *terms, *shelf.model)
    assert "said.wav: the statement sounds like another person than the recordings (likeness 0.31; " in sentence
    monkeypatch.setattr("vcfx_models.enrolment.spoken_statement.heard_share", lambda *_: 0.2)
    sentence = shelf.refused("enroll", "b", "clip.wav", *terms, *shelf.model)
    assert "said.wav: the statement was not heard (20% of its words; needed: 50%); it must say" in sentence
    assert shelf.names() == ["anna.vcfxvoice"]


def test_nobody_consents_by_default(shelf: Shelf) -> None:
    clip = ["enroll", "anna", "clip.wav", *shelf.model]
    assert "give also --speaker, --uses, --until" in shelf.refused(*clip)
    assert "give also --until" in shelf.refused(*clip, "--speaker", "A", "--uses", "live")
    sentence = shelf.refused(*clip, *AGREED[:-1])
    assert "Anna Muster must agree: give what they wrote with --statement TEXT, or --agreed if they read" in sentence
    assert "give also --uses" in shelf.refused(*clip, "--licence", "CC0-1.0", "--speaker", "A")
    assert shelf.names() == []
    assert shelf.events() == []


def test_bad_input_is_one_sentence_and_leaves_nothing(shelf: Shelf) -> None:
    def enroll(*changes: str) -> str:
        return shelf.refused("enroll", "anna", *AGREED, *shelf.model, *changes)

    assert "none.wav: there is no such recording" in enroll("none.wav")
    soundfile.write("short.wav", shelf.sound[: shelf.rate_hz], shelf.rate_hz)
    assert "short.wav: " in enroll("short.wav")
    Path("empty").mkdir()
    assert "empty: there is no recording in this folder" in enroll("empty")
    assert "the uses are 'sing'; allowed: some of" in enroll("clip.wav", "--uses", "sing")
    assert "the end of the consent is 'never'; allowed" in enroll("clip.wav", "--until", "never")
    assert "--statement-audio do not go together" in enroll("clip.wav", "--statement-audio", "clip.wav")
    assert "--source is empty" in enroll("clip.wav", "--source", "")
    bad = shelf.refused("enroll", "../anna", "clip.wav", *AGREED, *shelf.model)
    assert "the voice's name '../anna' holds '/'" in bad
    assert shelf.names() == []
    assert shelf.events() == []


def test_a_taken_name_is_replaced_only_on_demand(shelf: Shelf) -> None:
    first = shelf.enroll("anna")
    again = ["enroll", "anna", "clip.wav", *AGREED, *shelf.model]
    assert "a voice 'anna' is there already; choose another name, or give --replace" in shelf.refused(*again)
    assert "a voice 'anna' is there already; choose another name" in shelf.refused("enroll", "Anna", *again[2:])
    second = shelf.json(*again, "--replace")
    assert first["consent"] != second["consent"]
    assert shelf.names() == ["anna.vcfxvoice"]


class Typist:
    """Somebody at the terminal; notes what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        self.answers, self.told = list(answers), ""
        for module in (questions, voices_consent):
            monkeypatch.setattr(module, "can_ask", lambda: True)
            monkeypatch.setattr(module, "say", self.hear)
        monkeypatch.setattr("sys.stdin", self)

    def hear(self, text: str, end: str = "\n") -> None:
        self.told += text + end

    def readline(self) -> str:
        return f"{self.answers.pop(0)}\n" if self.answers else ""


def test_on_a_terminal_it_asks_until_it_knows(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    typist = Typist(monkeypatch, "Anna", "dance", "live", "yesterday", "1y", "", "yes")
    shelf.run("enroll", "anna", "clip.wav", *shelf.model)
    assert not typist.answers
    assert "the uses are 'dance'" in typist.told
    assert "the end of the consent is 'yesterday'" in typist.told
    assert "I am Anna. I agree that a computer imitates my voice, to speak with it live, until" in typist.told
    assert find_voice("anna", "live").name == "anna"


@pytest.mark.parametrize("answer", ["no", "y", "", "yes please"])
def test_only_a_clear_yes_is_a_yes(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    Typist(monkeypatch, answer)
    sentence = shelf.refused("enroll", "anna", "clip.wav", *AGREED[:-1], *shelf.model)
    assert sentence == "vcfx: there is no consent; nothing was enrolled"
    Typist(monkeypatch)
    assert "there was no answer; nothing was done" in shelf.refused("enroll", "anna", "clip.wav", *shelf.model)
    assert shelf.names() == []


def test_the_list_says_how_each_voice_stands(shelf: Shelf) -> None:
    assert "No voice is installed; make one of recordings" in shelf.run("list")
    shelf.put("anna")
    long_ago = datetime.now(UTC) - timedelta(days=3)
    past = {"given_at": format_time(long_ago), "until": format_time(long_ago + timedelta(days=1))}
    shelf.put("bert", **past, speaker="B" * 90)
    shelf.put("cleo", uses=("speech",), liveness="passed")
    shelf.run("revoke", "cleo")
    (shelf.voices / "dora.vcfxvoice").write_bytes(b"bad")
    text = shelf.run("list")
    assert max(map(len, text.splitlines()[:5])) <= 100
    assert re.search(r"^anna +\d+  Somebody +typed +\d{4}-\d\d-\d\d  all +you +usable$", text, re.MULTILINE)
    assert re.search(r"^bert +\d+  B+… +typed .* expired$", text, re.MULTILINE)
    assert re.search(r"^cleo +\d+  Somebody +typed, live .* speech +you +revoked$", text, re.MULTILINE)
    assert re.search(r"^dora .* damaged$", text, re.MULTILINE)
    assert "the consent of Somebody was taken back" in text
    listed = {entry["name"]: entry for entry in shelf.json("list")}
    stands = {name: entry["status"] for name, entry in listed.items()}
    assert stands == {"anna": "usable", "bert": "expired", "cleo": "revoked", "dora": "damaged"}
    assert listed["anna"]["issuer_standing"] == "own"
    assert sorted(listed["cleo"]["refused"]) == ["files", "live", "speech"]
    in_catalogue = {entry.name: entry.problem for entry in _voices()}
    assert in_catalogue["anna"] == ""
    assert "ended on" in in_catalogue["bert"]
    assert "taken back" in in_catalogue["cleo"]


def test_lines_fit_any_width() -> None:
    rows = [["name", "whose", "status"], ["anna", "x" * 70, "usable"], ["\u5f20\u4f1f", "short", "expired"]]
    for width in (20, 40, 80, 200):
        lines = fitted(rows, width)
        assert all(line.rstrip().endswith(row[-1]) for line, row in zip(lines, rows, strict=True))
        assert max(map(len, lines)) <= width


def test_show_tells_all_that_is_known(shelf: Shelf) -> None:
    shelf.put("anna", purpose="a play", uses=("live",))
    text = shelf.run("show", "anna")
    for word in ("Somebody", "a play", "You may use my voice in tests.", "own", "not for files: the consent of"):
        assert word in text
    shown = shelf.json("show", str(shelf.voices / "anna.vcfxvoice"))
    assert shown["status"] == "usable"
    assert shown["refused"].keys() == {"files", "speech"}
    assert "there is no voice 'anne'" in shelf.refused("show", "anne")
    (shelf.voices / "bad.vcfxvoice").write_bytes(b"bad")
    assert "bad.vcfxvoice: " in shelf.refused("show", "bad")


def test_rename_and_remove_are_logged_first(shelf: Shelf) -> None:
    consent = shelf.put("anna")
    shelf.put("bert")
    assert shelf.run("rename", "anna", "Änne M.-2") == "The voice 'anna' is called 'Änne M.-2' from now on.\n"
    event, detail = shelf.last()
    assert (event, detail["voice"], detail["new_name"], detail["consent"]) == ("renamed", "anna", "Änne M.-2", consent)
    shelf.run("rename", "Änne M.-2", "änne m.-2")
    for new, reason in (
        ("bert", "there already"),
        ("BERT", "there already"),
        ("../x", "holds '/'"),
        ("con", "reserved"),
    ):
        assert reason in shelf.refused("rename", "änne m.-2", new)
    (shelf.voices / "bad.vcfxvoice").write_bytes(b"bad")
    assert shelf.json("remove", "bad")["name"] == "bad"
    assert "The voice 'bert' is removed" in shelf.run("remove", "bert")
    assert (shelf.last()[0], shelf.last()[1]["voice"]) == ("removed", "bert")
    assert shelf.names() == ["änne m.-2.vcfxvoice"]
    assert "there is no voice 'bert'" in shelf.refused("remove", "bert")
    assert "is a file; name a voice of your own" in shelf.refused(
        "remove", str(shelf.voices / "x.vcfxvoice").replace("data", "other")
    )


def test_what_comes_with_vcfx_stays(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.put("alder")
    (shelf.folder / "none").mkdir()
    (shelf.voices / "alder.vcfxvoice").rename(shelf.folder / "none" / "alder.vcfxvoice")
    for command in (["remove", "alder"], ["rename", "alder", "x"]):
        assert "the voice 'alder' comes with vcfx and stays as it is" in shelf.refused(*command)
    assert "a voice 'alder' comes with vcfx; choose another name" in shelf.refused(
        "enroll", "alder", "clip.wav", *AGREED, *shelf.model
    )
    assert shelf.json("list")[0]["origin"] == "vcfx"


def test_nothing_is_removed_that_cannot_be_logged(shelf: Shelf) -> None:
    shelf.put("anna")
    log = shelf.folder / "data" / "papers" / "audit.sqlite"
    log.write_bytes(b"no log" * 1_000)
    assert "audit.sqlite" in shelf.refused("remove", "anna")
    assert "audit.sqlite" in shelf.refused("rename", "anna", "b")
    assert shelf.names() == ["anna.vcfxvoice"]


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, vcfx.__main__ as m\n"
        "for action in ('enroll', 'record', 'import'):\n"
        "    try: m.main(['voices', action, '--help'])\n"
        "    except SystemExit as end: assert end.code == 0\n"
        "heavy = {'numpy', 'numba', 'onnxruntime', 'rich', 'cryptography'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "--statement-audio FILE" in done.stdout


def test_main_is_the_same_for_programs(shelf: Shelf) -> None:
    assert main(["voices", "list", "--json"]) == 0
    assert json.loads(shelf.capture.readouterr().out) == []
