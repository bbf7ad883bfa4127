"""`vcfx voices export`, `import`, `revoke`, `trust` and `distrust` between two installations."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vcfx.cli import questions, voices_exchange
from vcfx_models.errors import ConsentError
from vcfx_models.papers import audit
from vcfx_models.papers.consent import format_time
from vcfx_models.papers.keys import own_key
from vcfx_models.papers.trust import trusted_keys
from vcfx_models.voice_library import find_voice
from voice_shelf import Shelf, shelf_fixture

shelf = pytest.fixture(shelf_fixture)


@pytest.fixture
def secret(shelf: Shelf) -> list[str]:
    Path("secret.txt").write_text("correct horse battery\nsecond line\n")
    return ["--passphrase-file", "secret.txt"]


def exported(shelf: Shelf, *lock: str, **consent: object) -> str:
    """A voice of the installation ``theirs`` in the file ``a.vcfxvoice``; then be the installation ``data``."""
    shelf.move("theirs")
    number = shelf.put("anna", **consent)
    shelf.run("export", "anna", "a.vcfxvoice", *lock)
    shelf.move("data")
    return number


@pytest.mark.parametrize("locked", [False, True])
def test_a_voice_goes_from_one_to_another(shelf: Shelf, secret: list[str], locked: bool) -> None:
    lock = secret if locked else ["--plain"]
    number = exported(shelf, *lock)
    assert Path("a.vcfxvoice").read_bytes()[:7] == (b"VCFXSEA" if locked else b"VCFXVOC")
    opening = secret if locked else []
    sentence = shelf.refused("import", "a.vcfxvoice", *opening)
    assert "a.vcfxvoice: is signed with the key " in sentence
    assert sentence.endswith("if it is that of whom you think, give --trust")
    assert (shelf.names(), trusted_keys()) == ([], {})
    text = shelf.run("import", "a.vcfxvoice", *opening, "--trust", "--as", "Anna von drüben")
    assert "The voice 'Anna von drüben' is imported; Somebody allows live, files, speech until" in text
    assert "is trusted from now on" in text
    assert find_voice("Anna von drüben", "live", notes_use=False).name == "anna"
    events = shelf.events()
    assert [event for event, _ in events[-2:]] == ["trusted", "imported"]
    assert events[-1][1]["consent"] == number
    again = shelf.json("import", "a.vcfxvoice", *opening, "--as", "b")
    assert again["name"] == "b", "the key is trusted by now"
    shelf.move("theirs")
    event, detail = shelf.last()
    assert (event, detail["voice"], detail["locked"]) == ("exported", "anna", locked)


def test_a_person_is_shown_the_papers_and_asked(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    exported(shelf)
    asked: list[str] = []

    def answer(word: bool) -> None:
        monkeypatch.setattr(voices_exchange, "ask_for_yes", lambda question: asked.append(question) or word)  # type: ignore[func-returns-value]

    monkeypatch.setattr(voices_exchange, "can_ask", lambda: True)
    answer(False)
    shelf.capture.readouterr()
    assert "the key is not trusted; nothing was imported" in shelf.refused("import", "a.vcfxvoice")
    assert (shelf.names(), trusted_keys()) == ([], {})
    answer(True)
    shelf.run("import", "a.vcfxvoice")
    assert len(asked) == 2
    assert shelf.names() == ["a.vcfxvoice"]


def test_what_may_not_be_used_is_not_imported(shelf: Shelf) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=3)
    past = {"given_at": format_time(long_ago), "until": format_time(long_ago + timedelta(days=1))}
    exported(shelf, **past)
    assert "a.vcfxvoice: the consent of Somebody ended on " in shelf.refused("import", "a.vcfxvoice", "--trust")
    Path("a.vcfxvoice").unlink()
    exported(shelf, given_at=format_time(datetime.now(UTC) + timedelta(minutes=30)))
    assert "begins only on" in shelf.refused("import", "a.vcfxvoice", "--trust")
    content = Path("a.vcfxvoice").read_bytes()
    Path("a.vcfxvoice").write_bytes(content.replace(b"Somebody", b"Somedoby"))
    assert "was changed after it was signed" in shelf.refused("import", "a.vcfxvoice", "--trust")
    Path("a.vcfxvoice").write_bytes(b"x" * 6_000_000)
    assert "is larger than 5000 kB" in shelf.refused("import", "a.vcfxvoice")
    assert "there is no such file" in shelf.refused("import", "none.vcfxvoice")
    assert "there is no such file" in shelf.refused("import", ".")
    Path("bad.json").write_text('[{"consent_id": "x"}]')
    assert "bad.json: " in shelf.refused("import", "bad.json")
    assert (shelf.names(), trusted_keys()) == ([], {})


def test_an_import_that_fails_trusts_nobody(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    exported(shelf)

    def full_disk(*_: object) -> None:
        raise ConsentError("the disk is full")

    monkeypatch.setattr("vcfx_models.enrolment.exchange.save_bundle", full_disk)
    assert "the disk is full" in shelf.refused("import", "a.vcfxvoice", "--trust")
    assert (shelf.names(), trusted_keys()) == ([], {})
    assert shelf.last()[0] == "distrusted"


def test_passphrases(shelf: Shelf, secret: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    exported(shelf, *secret)
    assert "nobody is there to be asked; give --passphrase-file F" in shelf.refused("import", "a.vcfxvoice")
    Path("wrong.txt").write_text("incorrect horse")
    sentence = shelf.refused("import", "a.vcfxvoice", "--passphrase-file", "wrong.txt")
    assert "a.vcfxvoice: the passphrase is wrong, or the file is damaged" in sentence
    Path("short.txt").write_text("abc")
    shelf.put("bert")
    assert "has 3 characters; needed: 8" in shelf.refused("export", "bert", "b", "--passphrase-file", "short.txt")
    Path("empty.txt").write_text("")
    assert "its first line is empty" in shelf.refused("export", "bert", "b", "--passphrase-file", "empty.txt")
    assert "cannot be read from 'gone'" in shelf.refused("export", "bert", "b", "--passphrase-file", "gone")
    for module in (questions, voices_exchange):
        monkeypatch.setattr(module, "can_ask", lambda: True)
    typed = iter(["long enough", "long enuff", "long enough", "long enough", ""])
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: next(typed))
    assert "the two passphrases differ" in shelf.refused("export", "bert", "b")
    assert not Path("b").exists()
    assert shelf.json("export", "bert", "b")["locked"] is True
    assert shelf.json("export", "bert", "c")["locked"] is False


def test_an_export_overwrites_nothing(shelf: Shelf) -> None:
    shelf.put("anna")
    Path("there").write_text("mine")
    assert "there: is there already; give another name" in shelf.refused("export", "anna", "there")
    Path("folder").mkdir()
    assert shelf.json("export", "anna", "folder")["file"] == "folder/anna.vcfxvoice"
    assert Path("there").read_text() == "mine"
    assert "there is no voice 'bert'" in shelf.refused("export", "bert", "x")


def test_consent_is_taken_back_here_and_where_the_notice_goes(shelf: Shelf) -> None:
    number = exported(shelf)
    shelf.run("import", "a.vcfxvoice", "--trust", "--as", "anna")
    shelf.move("theirs")
    text = shelf.run("revoke", "anna", "--reason", "I changed my mind", "--export", "notice.json")
    assert f"The consent {number} is taken back for good; no longer usable: anna." in text
    assert (shelf.last()[0], shelf.last()[1]["consent"]) == ("revoked", number)
    with pytest.raises(ConsentError, match="was taken back"):
        find_voice("anna", "live")
    shelf.move("data")
    assert find_voice("anna", "live").name == "anna", "the notice has not come yet"
    text = shelf.run("import", "notice.json")
    assert text == "1 revocation is kept from now on; no longer usable: anna.\n"
    with pytest.raises(ConsentError, match="was taken back"):
        find_voice("anna", "live")
    assert "the consent of Somebody was taken back; it is not imported" in shelf.refused(
        "import", "a.vcfxvoice", "--as", "again"
    )
    notice = json.loads(Path("notice.json").read_text())
    notice[0]["reason"] = "another"
    Path("forged.json").write_text(json.dumps(notice))
    assert "is not signed by whom it names" in shelf.refused("import", "forged.json")


def test_a_foreign_notice_ends_nothing_of_ours(shelf: Shelf) -> None:
    number = shelf.put("anna")
    shelf.move("attacker")
    shelf.run("revoke", number, "--export", "notice.json")
    shelf.move("data")
    assert "no voice here is concerned" in shelf.run("import", "notice.json")
    assert find_voice("anna", "live").name == "anna"


def test_revoking_by_number_removing_and_what_is_refused(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    number = shelf.put("anna")
    shelf.run("remove", "anna")
    done = shelf.json("revoke", number)
    assert (done["consent"], done["voices"], done["removed"]) == (number, [], False)
    shelf.put("bert")
    Path("there").write_text("mine")
    assert "there: is there already" in shelf.refused("revoke", "bert", "--export", "there")
    assert "the reason is " in shelf.refused("revoke", "bert", "--reason", "a\nb")
    assert "there is no voice 'zoe'" in shelf.refused("revoke", "zoe")
    assert "nor is it the number of a consent" in shelf.refused("revoke", "zoe")
    assert [event for event, _ in shelf.events()].count("revoked") == 1
    assert find_voice("bert", "live", notes_use=False).name == "bert"
    assert shelf.json("revoke", "bert", "--remove")["removed"] is True
    assert shelf.names() == []
    assert [event for event, _ in shelf.events()[-2:]] == ["revoked", "removed"]


def test_voices_without_a_person_cannot_be_revoked(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.put("alder", basis="synthetic", until="")
    key = own_key()
    assert key is not None
    monkeypatch.setattr("vcfx_models.enrolment.withdrawal.publisher_key", lambda: key.public)
    assert "no person's consent stands behind it" in shelf.refused("revoke", "alder")


def test_keys_are_trusted_and_distrusted(shelf: Shelf) -> None:
    exported(shelf)
    shelf.move("theirs")
    (theirs,) = [row for row in shelf.json("trust") if row["standing"] == "own"]
    shelf.move("data")
    assert "--name is 'a\\nb'; allowed: one line" in shelf.refused("trust", "a.vcfxvoice", "--name", "a\nb")
    text = shelf.run("trust", "a.vcfxvoice", "--name", "Anna's")
    assert text == f"The key {theirs['fingerprint']} is trusted from now on, and all voices that it signs.\n"
    assert shelf.last() == (
        "trusted",
        {"key": theirs["key"], "fingerprint": theirs["fingerprint"], "name": "Anna's"},
    )
    assert f"{theirs['fingerprint']}  trusted    Anna's" in shelf.run("trust")
    shelf.run("import", "a.vcfxvoice")
    shelf.run("distrust", theirs["fingerprint"].upper())
    assert shelf.json("list")[0]["status"] == "not trusted"
    assert "is not among those that are trusted" in shelf.refused("distrust", theirs["fingerprint"])
    shelf.run("trust", theirs["fingerprint"])
    assert shelf.json("list")[0]["status"] == "usable", "a voice here tells the whole key"
    shelf.run("distrust", theirs["fingerprint"])
    shelf.run("trust", theirs["key"])
    assert "allowed: 16 hexadecimal digits" in shelf.refused("distrust", "abc")
    assert "no voice here is signed with the key 0123456789abcdef" in shelf.refused("trust", "0123456789abcdef")
    (ours,) = [row for row in shelf.json("trust") if row["standing"] == "own"]
    assert "needs no trust: it is your own" in shelf.refused("trust", ours["key"])
    events = [entry.event for entry in audit.entries()]
    assert (events.count("trusted"), events.count("distrusted")) == (3, 2)
