"""The audit log: what is in it stays, and every change shows."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from papers_stage import NOW, change_log, consent, moment, papers_of, refusals, signed, write
from vcfx_models.errors import ConsentError
from vcfx_models.papers import audit
from vcfx_models.papers.admission import refusal
from vcfx_models.papers.issuing import issue
from vcfx_models.papers.keys import SigningKey, create_own_key, key_path, own_key, place_key
from voice_models import random_voice


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own for each test."""
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "home"))
    return tmp_path / "home" / "papers"


@pytest.fixture
def filled() -> int:
    """A log of eight entries, the fourth a revocation."""
    audit.append_all(
        [
            ("used", {"voice": "a", "n": number}) if number != 2 else ("revoked", {"consent": "0" * 16})
            for number in range(7)
        ]
    )
    return 8


def test_entries_come_in_order_with_their_details(filled: int) -> None:
    found = list(audit.entries())
    assert [entry.number for entry in found] == list(range(1, 9))
    assert [entry.event for entry in found] == ["installed", "used", "used", "revoked", "used", "used", "used", "used"]
    assert found[4].detail == {"voice": "a", "n": 3}
    assert [entry.number for entry in audit.entries(7)] == [7, 8]
    assert audit.check_chain() == 8
    assert audit.check_head() == found[-1].at


def test_a_third_party_can_follow_the_chain(filled: int) -> None:
    before = audit.FIRST_HASH
    for entry in audit.entries():
        assert audit.chain_hash(before, entry) == entry.hash
        before = entry.hash


def test_where_nothing_was_written_nothing_is_wrong() -> None:
    assert list(audit.entries()) == []
    assert (audit.check_chain(), audit.check_head(), audit.knows_revoked("0" * 16)) == (0, "", False)
    assert not audit.log_path().exists(), "to ask makes no files"


def test_no_trigger_no_change(filled: int) -> None:
    with contextlib.closing(sqlite3.connect(audit.log_path())) as log:
        for statement in ("UPDATE entries SET event = 'x' WHERE number = 2", "DELETE FROM entries WHERE number = 8"):
            with pytest.raises(sqlite3.IntegrityError, match="append only"):
                log.execute(statement)


#: What is done to the log, whether a glance at its end sees it, and what a walk through it says.
CHANGES = [
    ("UPDATE entries SET event = 'refused' WHERE number = 3", False, "entry 3 was changed or taken out"),
    ("UPDATE entries SET detail = '{}' WHERE number = 2", False, "entry 2 was changed or taken out"),
    ("UPDATE entries SET at = '2020-01-01T00:00:00Z' WHERE number = 5", False, "entry 5 was changed or taken out"),
    ("UPDATE entries SET at = '2020-01-01T00:00:00Z' WHERE number = 8", True, "entry 8 was changed"),
    ("UPDATE entries SET detail = x'00' WHERE number = 5", False, "entry 5 is damaged"),
    ("UPDATE entries SET detail = x'00' WHERE number = 8", True, "entry 8 is damaged"),
    ("UPDATE entries SET detail = CAST(x'95' AS TEXT) WHERE number = 5", False, "cannot be read or written: "),
    ("UPDATE entries SET hash = CAST(x'9595' AS TEXT) WHERE number = 8", True, "cannot be read or written: "),
    ("DELETE FROM entries WHERE number = 4", False, "entry 4 was changed or taken out"),
    ("DELETE FROM entries WHERE number = 1", False, "entry 1 was changed or taken out"),
    ("DELETE FROM entries WHERE number = 8", True, "entries at the end, about number 8, were taken out or added"),
    ("DELETE FROM entries WHERE number > 3", True, "were taken out or added"),
    ("DELETE FROM entries WHERE number = 7", True, "were taken out or added"),
    ("DELETE FROM entries", True, "were taken out or added"),
    ("INSERT INTO entries VALUES (9, 'x', 'x', '{}', 'x')", True, "were taken out or added"),
    ("INSERT INTO entries VALUES (9223372036854775807, 'x', 'x', '{}', 'x')", True, "were taken out or added"),
    ("INSERT INTO entries VALUES (-5, 'x', 'x', '{}', 'x')", False, "entry 1 was changed"),
    ("DELETE FROM head", True, "the signed note of the audit log's last entry is damaged or forged"),
    ("UPDATE head SET number = 7", True, "damaged or forged"),
    ("UPDATE head SET signature = 'zz'", True, "damaged or forged"),
    ("UPDATE head SET signature = x'00'", True, "damaged or forged"),
    ("UPDATE head SET revoked = hash", True, "damaged or forged"),
    ("CREATE TABLE more (a)", True, "tables are missing or were changed"),
    ("CREATE TRIGGER t AFTER INSERT ON entries BEGIN SELECT 1; END", True, "tables are missing or were changed"),
    ("DROP INDEX revocations", True, "tables are missing or were changed"),
    ("ALTER TABLE entries ADD COLUMN more", True, "tables are missing or were changed"),
    ("DROP TABLE entries; CREATE VIEW entries AS SELECT 1 AS number", True, "tables are missing or were changed"),
]


@pytest.mark.parametrize(("script", "at_a_glance", "sentence"), CHANGES)
def test_a_change_shows(script: str, at_a_glance: bool, sentence: str, filled: int) -> None:
    with contextlib.suppress(sqlite3.OperationalError):
        change_log(script, covered_up="entries AS" not in script)
    with pytest.raises(ConsentError, match=sentence) as caught:
        audit.check_chain()
    assert str(caught.value).isprintable()
    if at_a_glance:
        with pytest.raises(ConsentError, match=r"audit\.sqlite: "):
            audit.check_head()
        assert "cannot be checked: " in refusal(papers_of(signed()), "live")
        with pytest.raises(ConsentError, match=r"audit\.sqlite: "):
            audit.append("used", {})
        with pytest.raises(ConsentError, match=r"audit\.sqlite: "):
            audit.check_head()


@pytest.mark.parametrize(
    "script",
    [
        "UPDATE entries SET event = 'used' WHERE number = 4",
        'UPDATE entries SET detail = \'{"consent": "1"}\' WHERE number = 4',
        "DELETE FROM entries WHERE number = 4",
        "UPDATE entries SET number = 40 WHERE number = 4; DELETE FROM entries WHERE number = 40",
    ],
)
def test_a_revocation_cannot_be_taken_out_of_the_middle(script: str, filled: int) -> None:
    assert audit.knows_revoked("0" * 16)
    change_log(script)
    with pytest.raises(ConsentError, match="a revocation was changed or taken out"):
        audit.knows_revoked("1" * 16)
    assert "a revocation was changed or taken out" in refusal(papers_of(signed()), "live")


def test_a_cut_log_is_not_made_good_by_what_comes_after(filled: int) -> None:
    papers = papers_of(issue(random_voice("zoe"), consent()))
    audit.append("revoked", {"consent": papers.consent.consent_id})
    change_log("DELETE FROM entries WHERE number > 7")
    for _ in range(2):
        assert "cannot be checked" in refusal(papers, "live")
        with pytest.raises(ConsentError):
            audit.append("refused", {})


def test_a_log_written_anew_with_another_key_is_forged(filled: int, home: Path) -> None:
    own = own_key()
    assert own is not None
    for path in (audit.log_path(), key_path()):
        path.unlink()
    create_own_key()
    audit.append("used", {})
    key_path().unlink()
    place_key(own)
    with pytest.raises(ConsentError, match="damaged or forged"):
        audit.check_head()


def test_key_or_log_alone_is_a_loss(filled: int, home: Path) -> None:
    papers = papers_of(signed())
    content, key = audit.log_path().read_bytes(), key_path().read_bytes()
    audit.log_path().unlink()
    for _ in range(2):
        assert "the audit log is missing; without it" in refusal(papers, "live")
        with pytest.raises(ConsentError, match="the audit log is missing"):
            audit.append("refused", {})
    write(audit.log_path(), b"")
    assert "tables are missing" in refusal(papers, "live")
    write(audit.log_path(), content)
    key_path().unlink()
    for asked in (audit.check_head, audit.check_chain, create_own_key, lambda: audit.append("used", {})):
        with pytest.raises(ConsentError, match="the installation's key is missing, though the audit log tells of one"):
            asked()
    write(key_path(), key)
    assert audit.check_chain() == 8


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + bytes(5_000), bytes(100), b"\xff" * 9_000])
def test_a_log_that_is_no_database_is_one_sentence(content: bytes, filled: int) -> None:
    write(audit.log_path(), content)
    for asked in (audit.check_head, audit.check_chain, lambda: list(audit.entries()), lambda: audit.append("x", {})):
        with pytest.raises(ConsentError, match=r"audit\.sqlite: the audit log") as caught:
            asked()
        assert str(caught.value).isprintable()


def test_details_that_are_none_are_shown_as_damaged(filled: int) -> None:
    for number, text in ((2, "[]"), (3, "{"), (5, "[" * 9_000)):
        change_log(f"UPDATE entries SET detail = '{text}' WHERE number = {number}")
    found = list(audit.entries())
    assert [set(found[at].detail) for at in (1, 2, 4)] == [{"damaged"}] * 3
    assert not audit.knows_revoked("1" * 16)


def test_an_entry_beyond_all_memory_is_refused(filled: int) -> None:
    with pytest.raises(ConsentError, match=r"an entry of the audit log has \d+ characters; allowed: 100000"):
        audit.append("used", {"file": "x" * 100_000})
    change_log("UPDATE entries SET detail = hex(zeroblob(2000000)) WHERE number = 8")
    with pytest.raises(ConsentError, match="too big"):
        audit.check_head()
    with pytest.raises(ConsentError, match="too big"):
        list(audit.entries())


def test_time_never_goes_back() -> None:
    audit.append("used", {}, NOW + timedelta(days=400))
    audit.append("used", {"voice": "a"}, NOW)
    last = list(audit.entries())[-1]
    assert (last.at, last.detail) == (moment(days=400), {"voice": "a", "clock": moment()})
    papers = papers_of(signed())
    assert "the clock is before the audit log's last entry" in refusal(papers, "live")
    assert refusal(papers_of(signed(until=moment(days=500))), "live", now=NOW + timedelta(days=400)) == ""


def test_entries_are_all_written_or_none(filled: int) -> None:
    with pytest.raises(ConsentError, match="allowed: 100000"):
        audit.append_all([("used", {}), ("used", {"file": "x" * 100_000})])
    assert audit.check_chain() == 8


def test_many_entries_are_read_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_PAGE", 3)
    audit.append_all([("used", {"n": number}) for number in range(10)])
    assert [entry.number for entry in audit.entries()] == list(range(1, 12))
    assert audit.check_chain() == 11
    seen = []
    for entry in audit.entries():
        seen.append(entry.number)
        if entry.number == 11:
            audit.append("used", {})  # a reader keeps nobody from writing
    assert seen == list(range(1, 12))


def test_a_thousand_revocations_are_found_by_consent_and_issuer() -> None:
    audit.append_all([("revoked", {"consent": f"{n:016x}", "issuer": "a" * 64}) for n in range(1_000)])
    assert audit.knows_revoked(f"{999:016x}", "a" * 64)
    assert not audit.knows_revoked(f"{999:016x}", "b" * 64)
    assert not audit.knows_revoked("f" * 16, "a" * 64)


def test_the_log_is_json_that_sorts() -> None:
    audit.append("used", {"b": 1, "a": "\ud800"})
    with contextlib.closing(sqlite3.connect(audit.log_path())) as log:
        ((text,),) = log.execute("SELECT detail FROM entries WHERE number = 2").fetchall()
    assert text == json.dumps({"a": "\ud800", "b": 1})
    assert refusals() == []
    assert isinstance(own_key(), SigningKey)
