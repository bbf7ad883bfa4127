"""Admission: which voices may be used, what the log tells, and a folder full of bad files."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from papers_stage import NOW, STRANGER, consent, events, moment, papers_of, parts, refusals, resigned, signed, write
from vcfx_models import voice_library
from vcfx_models.data_folder import data_folder
from vcfx_models.errors import ConsentError, VoiceError
from vcfx_models.papers import admission, audit, sealing
from vcfx_models.papers.admission import admit, refusal
from vcfx_models.papers.bundle import MAGIC, read_bundle
from vcfx_models.papers.issuing import issue
from vcfx_models.papers.keys import SigningKey, create_own_key
from vcfx_models.papers.trust import publisher_key, trust_key
from vcfx_models.voice_library import VOICES_FOLDER, find_voice, list_voices, peek_voice, user_voices_folder
from vcfx_models.voice_on_disk import load_bundle, load_voice, save_bundle
from voice_models import random_voice

SHIPPED = sorted(VOICES_FOLDER.glob("*.vcfxvoice"))
LATER: dict[str, Any] = {"given_at": moment(hours=2), "until": moment(days=2)}
EARLIER: dict[str, Any] = {"given_at": moment(days=-9), "until": moment(seconds=-1)}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own for each test."""
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("changes", "use", "liveness", "reason"),
    [
        ({}, "live", False, ""),
        ({"liveness": "passed"}, "live", True, ""),
        ({}, "live", True, "was enrolled without a check that a living person spoke"),
        ({"uses": ("live",)}, "live", False, ""),
        ({"uses": ("live",)}, "files", False, "the consent of Somebody is for live, not for files"),
        ({"uses": ("files", "speech")}, "live", False, "the consent of Somebody is for files, speech, not for live"),
        (LATER, "live", False, f"the consent of Somebody begins only on {moment(hours=2)}"),
        ({"given_at": moment(minutes=59)}, "live", False, ""),
        (EARLIER, "live", False, f"the consent of Somebody ended on {moment(seconds=-1)}"),
        (EARLIER | {"speaker": "A" * 1_000}, "live", False, f"the consent of {'A' * 60}... ended on"),
        ({"until": "", "basis": "licence"}, "files", False, ""),
        (
            {"until": moment(seconds=-1), "given_at": moment(days=-1), "basis": "synthetic"},
            "live",
            False,
            "the consent of Somebody ended on",
        ),
    ],
    # Names of their own: workers that were started in different seconds must collect the same tests.
    ids=[
        "plain",
        "living",
        "living unchecked",
        "for live",
        "not for files",
        "not for live",
        "begins later",
        "begins within the hour",
        "ended",
        "ended, long name",
        "endless licence",
        "ended, synthetic",
    ],
)
def test_papers_allow_or_say_why_not(changes: dict[str, Any], use: str, liveness: bool, reason: str) -> None:
    voice = read_bundle(signed(**changes), "v")
    assert voice.papers is not None
    found = refusal(voice.papers, use, liveness)
    assert bool(found) == bool(reason)
    assert found.startswith(reason)
    if not reason:
        assert admit(voice, "v", use, liveness) is voice
        assert list(audit.entries())[-1].detail == {
            "file": "v", "use": use, "voice": "zoe", "voice_id": voice.papers.voice_id,
            "consent": voice.papers.consent.consent_id,
        }  # fmt: skip
        return
    with pytest.raises(ConsentError, match=r"^v: ") as caught:
        admit(voice, "v", use, liveness)
    assert str(caught.value) == f"v: {found}"
    assert len(str(caught.value)) < 300
    assert refusals() == [found]


def test_a_voice_without_papers_and_a_use_without_a_name_are_refused() -> None:
    with pytest.raises(ConsentError, match="v: has no papers; enrol it anew"):
        admit(random_voice("zoe"), "v", "live")
    with pytest.raises(ConsentError, match="the use 'adverts' is unknown; allowed: live, files, speech"):
        admit(read_bundle(signed(), "v"), "v", "adverts")
    assert refusals() == ["has no papers; enrol it anew"]


def test_the_end_comes_to_the_second() -> None:
    papers = papers_of(signed(until=moment(days=1)))
    assert refusal(papers, "live", now=NOW + timedelta(days=1, seconds=-1)) == ""
    assert "ended on" in refusal(papers, "live", now=NOW + timedelta(days=1))


def test_a_clock_that_was_set_back_does_not_bring_a_voice_back(monkeypatch: pytest.MonkeyPatch) -> None:
    papers = papers_of(signed(until=moment(days=1)))
    audit.append("refused", {}, NOW + timedelta(days=2))
    for _ in range(2):
        reason = refusal(papers, "live", now=NOW)
        assert reason == (
            f"cannot be checked: the clock is before the audit log's last entry ({moment(days=2)}); set the clock"
        )
        audit.append("refused", {}, NOW)  # as `admit` does; time does not go back by it
    assert "ended on" in refusal(papers, "live", now=NOW + timedelta(days=2))


def test_a_stranger_s_voice_is_used_once_the_stranger_is_trusted() -> None:
    papers = papers_of(signed(STRANGER))
    assert refusal(papers, "live") == (
        f"is signed with the key {STRANGER.public.fingerprint}, which this installation does not trust; "
        "if you do, import it with: vcfx voices import FILE --trust"
    )
    trust_key(STRANGER.public, "")
    assert refusal(papers, "live") == ""


def test_what_calls_itself_synthetic_is_not_the_publisher_s() -> None:
    papers = papers_of(signed(STRANGER, basis="synthetic", until=""))
    assert "does not trust" in refusal(papers, "live")


def test_the_publisher_s_voices_need_no_log_and_no_clock(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, b"no folder")
    voice = load_voice(SHIPPED[0])
    assert voice.papers is not None
    assert voice.papers.issuer == publisher_key()
    assert find_voice(SHIPPED[0], "live").name == voice.name
    assert refusal(voice.papers, "live", now=NOW - timedelta(days=9_999)) == ""
    assert "a living person" in refusal(voice.papers, "live", needs_liveness=True)
    changed = resigned(SHIPPED[0].read_bytes(), STRANGER, lambda papers: None)
    assert "cannot be checked" in refusal(papers_of(changed), "live"), "those of others do need the lists"


def test_a_person_s_voice_signed_by_the_publisher_is_a_person_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "publisher_key", lambda: STRANGER.public)
    monkeypatch.setattr("vcfx_models.papers.trust.publisher_key", lambda: STRANGER.public)
    assert "ended on" in refusal(papers_of(signed(STRANGER, **EARLIER)), "live")
    assert refusal(papers_of(signed(STRANGER, basis="licence", until="")), "live") == ""


def test_an_enrolment_is_logged_before_it_is_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    record = consent(uses=("live",), speaker="Zo\u00eb")
    papers = papers_of(issue(random_voice("zoe"), record, "A studio"))
    assert refusal(papers, "live") == ""
    (entry,) = [entry for entry in audit.entries() if entry.event == "enrolled"]
    assert entry.detail == {
        "voice": "zoe", "voice_id": papers.voice_id, "consent": record.consent_id, "speaker": "Zo\u00eb",
        "basis": "typed", "uses": ["live"], "until": record.until, "liveness": "unchecked",
    }  # fmt: skip
    monkeypatch.setattr(audit, "append", lambda *arguments: (_ for _ in ()).throw(ConsentError("no log")))
    with pytest.raises(ConsentError, match="no log"):
        issue(random_voice("zoe"), record)


def bad_files() -> dict[str, tuple[bytes, str]]:
    """A file of each bad kind: name -> content, what is said of it."""
    good = signed()
    flipped = bytearray(good)
    flipped[700] ^= 4
    stolen = resigned(good, SigningKey.new(), lambda papers: papers["consent"].update(speaker="Someone else"))
    return {
        "empty": (b"", "has no papers"),
        "old": (parts(good)[1], "has no papers"),
        "noise": (os.urandom(3_000), "has no papers"),
        "flipped": (bytes(flipped), "the signature does not fit"),
        "cut": (good[:-1], "the signature does not fit"),
        "stub": (MAGIC, "it ends after 8 bytes"),
        "newer": (b"VCFXVOC2" + good[8:], "this vcfx reads b'1'"),
        "locked": (sealing.seal(good, "open sesame"), "is locked with a passphrase"),
        "huge": (good + bytes(300_000), "is larger than 200 kB"),
        "stolen": (stolen, "does not trust"),
        "expired": (signed(**EARLIER), "ended on"),
        "tomorrow": (signed(**LATER), "begins only on"),
    }


def test_a_folder_of_bad_files_is_listed_whole(home: Path) -> None:
    folder, files = user_voices_folder(), bad_files()
    for name, (content, _) in files.items():
        write(folder / f"{name}.vcfxvoice", content)
    write(folder / "good.vcfxvoice", signed())
    write(folder / ".good.vcfxvoice.abc.part", signed())
    write(folder / ".hidden.vcfxvoice", signed())
    write(folder / "a\x1b[2Jb.vcfxvoice", signed())
    write(folder / os.fsdecode(b"latin-\xe9.vcfxvoice"), signed())
    (folder / "folder.vcfxvoice").mkdir()
    (folder / "nowhere.vcfxvoice").symlink_to(home / "gone")
    (folder / "loop.vcfxvoice").symlink_to(folder / "loop.vcfxvoice")
    os.mkfifo(folder / "pipe.vcfxvoice")
    (folder / "zero.vcfxvoice").symlink_to("/dev/zero")
    found = {info.name: info for info in list_voices() if info.origin == "user"}
    assert len(found) == len(files) + 8
    for name, (_, sentence) in files.items():
        info = found[name]
        said = {info.problem, *info.refused.values()} - {""}
        assert len(said) == 1
        assert sentence in said.pop()
        assert (info.voice is None) == bool(info.problem)
    assert found["good"].refused == {}
    for name, sentence in (
        *(("folder", "it is no regular file"), ("nowhere", "there is no such voice file"), ("loop", "cannot be read")),
        *(("pipe", "it is no regular file"), ("zero", "it is no regular file")),
        *((repr("a\x1b[2Jb"), "a name that cannot be shown"), ("'latin-\\udce9'", "a name that cannot be shown")),
    ):
        assert sentence in found[name].problem
        assert found[name].problem.isprintable()
    assert refusals() == [], "to look is no attempt"


def test_refusals_of_files_are_logged_when_they_are_asked_for() -> None:
    folder, files = user_voices_folder(), bad_files()
    for name, (content, sentence) in files.items():
        write(folder / f"{name}.vcfxvoice", content)
        with pytest.raises(VoiceError) as caught:
            find_voice(name, "live", notes_use=False)
        assert sentence in str(caught.value)
        assert str(caught.value).isprintable()
    forged = [
        name
        for name, (_, said) in files.items()
        if not any(word in said for word in ("ends after", "reads", "locked", "larger"))
    ]
    assert len(refusals()) == len(forged)
    assert events().count("used") == 0
    assert peek_voice("expired").name == "zoe"


def test_a_folder_that_cannot_be_looked_into_holds_no_voices(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / "voices", b"a file")
    assert {info.origin for info in list_voices()} == {"vcfx"}

    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refused)
    assert list_voices() == []


def test_one_s_own_voice_hides_a_shipped_one(home: Path) -> None:
    write(user_voices_folder() / SHIPPED[0].name, signed(**EARLIER))
    with pytest.raises(ConsentError, match="ended on"):
        find_voice(SHIPPED[0].stem, "live")
    assert find_voice(SHIPPED[0], "live").name != "zoe"


def test_names_are_no_paths(home: Path) -> None:
    write(home / "secret.vcfxvoice", signed())
    for name in (
        "../secret",
        "..\\secret",
        "secret",
        ".",
        "..",
        "*",
        "~",
        "\0",
        "~nobody-at-all/secret.vcfxvoice",
        "a/../\0.vcfxvoice",
    ):
        with pytest.raises(VoiceError):
            find_voice(name, "live")


def test_files_are_written_whole_or_not_at_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "voices" / "a.vcfxvoice"
    save_bundle(b"old", path)
    monkeypatch.setattr("vcfx_models.whole_file.os.fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(VoiceError, match="cannot be written: full"):
        save_bundle(b"new", path)
    assert [file.name for file in path.parent.iterdir()] == ["a.vcfxvoice"]
    assert load_bundle(path) == b"old"
    with pytest.raises(VoiceError, match="cannot be written"):
        save_bundle(b"new", Path("a\0b"))


def test_the_data_folder_is_the_same_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VCFX_DATA_DIR", "here")
    assert data_folder() == tmp_path / "here"
    monkeypatch.setenv("VCFX_DATA_DIR", "~/there")
    assert data_folder() == Path.home() / "there"
    monkeypatch.setenv("VCFX_DATA_DIR", "~nobody-at-all/there")
    assert data_folder() == tmp_path / "~nobody-at-all" / "there"
    monkeypatch.setenv("VCFX_DATA_DIR", "")
    assert data_folder().name == "vcfx"


def test_another_data_folder_is_another_installation(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(home.parent / "zoe.vcfxvoice", issue(random_voice("zoe"), consent()))
    assert find_voice(path, "live").name == "zoe"
    monkeypatch.setenv("VCFX_DATA_DIR", str(home.parent / "elsewhere"))
    with pytest.raises(ConsentError, match="does not trust"):
        find_voice(path, "live")
    create_own_key()
    with pytest.raises(ConsentError, match="does not trust"):
        find_voice(path, "live")


def test_papers_put_on_a_voice_by_hand_do_not_survive_a_file() -> None:
    voice = replace(random_voice("other"), papers=papers_of(signed()))
    with pytest.raises(ConsentError, match="ended on"):
        admit(read_bundle(signed(voice=voice, **EARLIER), "v"), "v", "live")
    assert voice_library.find_voice(SHIPPED[0], "live").papers is not None
