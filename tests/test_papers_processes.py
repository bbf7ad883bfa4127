"""The papers among several processes, at a power loss, on a full disk, under somebody else's lock."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from papers_stage import STRANGER, consent, events, papers_of, signed, write
from vcfx_models.errors import ConsentError
from vcfx_models.papers import audit, audit_database, folder
from vcfx_models.papers.admission import admit, is_revoked
from vcfx_models.papers.bundle import read_bundle
from vcfx_models.papers.issuing import issue
from vcfx_models.papers.keys import create_own_key, own_key
from vcfx_models.papers.revocation import kept_revocations
from vcfx_models.papers.trust import trusted_keys
from voice_models import random_voice


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own for each test."""
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "home"))
    return tmp_path / "home" / "papers"


@pytest.fixture
def filled() -> int:
    """A log of eight entries."""
    audit.append_all([("used", {"n": number}) for number in range(7)])
    return 8


PROGRAM = """
import sys
from vcfx_models.papers import audit
from vcfx_models.papers.keys import create_own_key
from vcfx_models.papers.revocation import keep_revocations, revoke
from vcfx_models.papers.trust import trust_key
from vcfx_models.papers.keys import SigningKey
who = int(sys.argv[1])
key = create_own_key()
friend = SigningKey.from_bytes(bytes([who]) * 32)
for turn in range(5):
    audit.append("used", {"who": who, "turn": turn})
    audit.check_head()
    keep_revocations([revoke(f"{16 * who + turn:016x}", "2026-11-22T18:00:00Z", "", friend)])
trust_key(friend.public, str(who))
print(key.public.fingerprint)
"""


def test_processes_that_begin_at_once_share_one_key_and_lose_nothing() -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(who)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for who in range(4)
    ]
    done = [process.communicate(timeout=240) for process in started]
    assert [process.returncode for process in started] == [0] * 4, [err for _, err in done]
    assert len({out for out, _ in done}) == 1
    assert audit.check_chain() == 1 + 4 * 5 * 2
    for who in range(4):
        turns = [entry.detail["turn"] for entry in audit.entries() if entry.detail.get("who") == who]
        assert turns == list(range(5))
    assert len(kept_revocations()) == 20
    assert len(trusted_keys()) == 4
    assert events()[0] == "installed"
    assert events().count("installed") == 1


class PowerLossError(Exception):
    """The machine stops here."""


def stopping(*arguments: object, **others: object) -> None:
    """Do nothing more."""
    raise PowerLossError


@pytest.mark.parametrize(
    "step", ["audit.place_key", "audit.database.begin", "audit_database.write_head", "keys.os.replace", "keys.os.fsync"]
)
def test_a_beginning_that_was_cut_short_is_taken_up_again(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(f"vcfx_models.papers.{step}", stopping)
        with pytest.raises(PowerLossError):
            audit.append("used", {})
    assert own_key() is None
    assert (audit.check_head(), audit.check_chain(), list(audit.entries())) == ("", 0, [])
    assert not is_revoked(papers_of(signed(STRANGER)))
    audit.append("used", {})
    assert events() == ["installed", "used"]
    assert audit.check_chain() == 2


@pytest.mark.parametrize("step", ["audit.database.write_head", "audit.database.entry_row"])
def test_an_entry_that_was_cut_short_is_not_there(step: str, filled: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(f"vcfx_models.papers.{step}", stopping)
        with pytest.raises(PowerLossError):
            audit.append("used", {})
    assert audit.check_chain() == 8
    audit.append("used", {})
    assert audit.check_chain() == 9


def full(*arguments: object) -> None:
    """A disk on which nothing has room."""
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_one_sentence_and_signs_nothing(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("vcfx_models.papers.keys.os.fsync", full)
        with pytest.raises(ConsentError, match="key cannot be written: No space left on device"):
            issue(random_voice("zoe"), consent())
        assert not [path.name for path in home.iterdir() if "key" in path.name]
    create_own_key()
    with contextlib.closing(sqlite3.connect(audit.log_path())) as log:
        (pages,) = log.execute("PRAGMA page_count").fetchone()
    opened = sqlite3.connect

    def small(*arguments: Any, **others: Any) -> sqlite3.Connection:
        log: sqlite3.Connection = opened(*arguments, **others)
        log.execute(f"PRAGMA max_page_count = {pages}")
        return log

    monkeypatch.setattr("vcfx_models.papers.audit_database.sqlite3.connect", small)
    with pytest.raises(ConsentError, match=r"audit\.sqlite: .* database or disk is full"):
        audit.append_all([("used", {"file": "x" * 1_000})] * 200)
    assert audit.check_chain() == 1


def test_a_folder_that_cannot_be_made_is_one_sentence(home: Path) -> None:
    write(home.parent, b"a file")
    with pytest.raises(ConsentError, match=r"lock\.sqlite: cannot be locked: (File exists|Not a directory)"):
        audit.append("used", {})
    with pytest.raises(ConsentError, match="cannot be locked"):
        create_own_key()
    assert audit.check_head() == ""


def test_a_log_that_another_keeps_is_waited_for_and_then_named(filled: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "PATIENCE_S", 0.05)
    monkeypatch.setattr(audit_database, "PATIENCE_S", 0.05)
    with contextlib.closing(sqlite3.connect(audit.log_path(), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for asked in (lambda: audit.append("used", {}), audit.check_head, lambda: list(audit.entries())):
            with pytest.raises(ConsentError, match="the audit log cannot be read or written: database is locked"):
                asked()
    with contextlib.closing(sqlite3.connect(folder.papers_folder() / "lock.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ConsentError, match=r"lock\.sqlite: cannot be locked: database is locked"):
            audit.append("used", {})
    audit.append("used", {})
    assert audit.check_chain() == 9


def test_what_is_not_written_is_not_allowed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = read_bundle(issue(random_voice("zoe"), consent()), "zoe")
    monkeypatch.setattr("vcfx_models.papers.audit.locked_papers", lambda: (_ for _ in ()).throw(ConsentError("full")))
    with pytest.raises(ConsentError, match="full"):
        admit(mine, "zoe", "live")
    assert admit(mine, "zoe", "live", notes_use=False) is mine
