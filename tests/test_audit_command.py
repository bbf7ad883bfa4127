"""`vcfx audit` and `vcfx watermark`: as a person meets them."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

from refused_commands import told
from vcfx.__main__ import main
from vcfx.cli.audit import moment
from vcfx_dsp.errors import ParameterError
from vcfx_models.papers import audit
from vcfx_models.papers.audit_export import check_lines, exported_lines
from vcfx_models.papers.issuing import issue
from vcfx_models.papers.keys import SigningKey, own_key
from vcfx_models.voice_library import find_voice
from vcfx_models.voice_on_disk import save_bundle
from voice_models import consent_for_tests, random_voice

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own."""
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def enrol_and_use() -> None:
    path = Path("anna.vcfxvoice")
    save_bundle(issue(random_voice("anna"), consent_for_tests(speaker="Anna Example", uses=["live"])), path)
    find_voice(path, "live")
    assert main(["convert", "nothing.wav", "-o", "out.wav", "--voice", str(path)]) == 2


def printed(capture: Capture, *arguments: str) -> str:
    assert main(arguments) == 0
    return capture.readouterr().out


def listed(capture: Capture, *arguments: str) -> list[str]:
    return [entry["event"] for entry in json.loads(printed(capture, "audit", "list", "--json", *arguments))]


def test_the_list_tells_what_was_done(capsys: Capture) -> None:
    assert "There are no such entries" in printed(capsys, "audit", "list")
    enrol_and_use()
    capsys.readouterr()
    table = printed(capsys, "audit", "list")
    assert all(len(line.rstrip()) <= 100 for line in table.splitlines())
    for words in ("enrolled", "Anna Example", "used", "use: live", "refused", "is for live, not for files"):
        assert words in " ".join(table.split())
    assert listed(capsys) == ["installed", "enrolled", "used", "refused"]
    assert listed(capsys, "--event", "used", "--event", "refused") == ["used", "refused"]
    assert listed(capsys, "--voice", "anna") == ["enrolled", "used", "refused"]
    assert listed(capsys, "--voice", "bert") == []
    assert len(listed(capsys, "--since", "1h")) == 4
    assert listed(capsys, "--since", "2099-01-01") == []
    assert "allowed: 2026-11-22" in told(capsys, "audit", "list", "--since", "lately")


def test_moments_are_read_as_people_write_them() -> None:
    now = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    assert moment("2026-11-01", now) == datetime(2026, 11, 1, tzinfo=UTC)
    assert moment("2026-11-01T06:30", now) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert moment("2026-11-01T06:30+02:00", now) == datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
    for text, span in (("90m", timedelta(minutes=90)), ("12h", timedelta(hours=12)), ("4w", timedelta(weeks=4))):
        assert now - moment(text, now) == span
    for text in ("", "7", "7y", "-1d", "999999w", "2026-13-01"):
        with pytest.raises(ParameterError, match="--since is"):
            moment(text, now)


def test_a_name_cannot_play_with_the_terminal(capsys: Capture) -> None:
    audit.append("used", {"voice": "an\x1b[2Jna", "reason": "a\nb"})
    table = printed(capsys, "audit", "list")
    assert "\x1b[2J" not in table
    assert "a\\nb" in table


def test_a_changed_log_is_told(capsys: Capture) -> None:
    enrol_and_use()
    capsys.readouterr()
    assert "4 entries, none changed, none missing, signed by the installation" in printed(capsys, "audit", "check")
    assert json.loads(printed(capsys, "audit", "check", "--json"))["entries"] == 4
    with sqlite3.connect(audit.log_path()) as log:
        (guard,) = log.execute("SELECT sql FROM sqlite_master WHERE name = 'no_update'").fetchone()
        log.execute("DROP TRIGGER no_update")
        log.execute("UPDATE entries SET detail = '{}' WHERE number = 3")
        log.execute(guard)
    assert "entry 3 was changed or taken out" in told(capsys, "audit", "check")
    assert main(["audit", "list"]) == 2
    assert "entry 3 was changed" in capsys.readouterr().err
    assert "entry 3 was changed" in told(capsys, "audit", "export", "log.jsonl")
    assert not Path("log.jsonl").exists()


def test_an_export_can_be_checked_elsewhere(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol_and_use()
    key = own_key()
    assert key is not None
    capsys.readouterr()
    assert "4 entries" in printed(capsys, "audit", "export", "log.jsonl")
    assert "exists already" in told(capsys, "audit", "export", "log.jsonl")
    assert printed(capsys, "audit", "export", "-") == Path("log.jsonl").read_text()
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "elsewhere"))
    assert key.public.fingerprint in printed(capsys, "audit", "check", "log.jsonl")
    assert not (tmp_path / "elsewhere").exists()
    for wrong in ("nothing.jsonl", "."):
        assert "cannot be read" in told(capsys, "audit", "check", wrong)
    Path("rubbish").write_bytes(b"\xff\xfe")
    assert "no export of an audit log" in told(capsys, "audit", "check", "rubbish")


def test_every_change_of_an_export_is_found(tmp_path: Path) -> None:
    enrol_and_use()
    lines = list(exported_lines())
    checked = check_lines(lines, "x")
    assert (checked.entries, checked.signer) == (4, own_key().public)  # type: ignore[union-attr]
    other = SigningKey.new()
    end = json.loads(lines[-1])
    forged = json.dumps(end | {"public_key": other.public.raw.hex()})
    shorter = json.dumps(end | {"entries": 3, "hash": json.loads(lines[2])["hash"]})
    changes = {
        "changed": [lines[0], lines[1].replace("Anna Example", "Bert Example"), *lines[2:]],
        "taken out": [lines[0], *lines[2:]],
        "first taken out": lines[1:],
        "swapped": [lines[1], lines[0], *lines[2:]],
        "end cut off": lines[:-1],
        "last entry cut off": [*lines[:-2], lines[-1]],
        "cut off and the end rewritten": [*lines[:-2], shorter],
        "twice": [*lines, lines[-1]],
        "something behind": [*lines, lines[0]],
        "signed by another": [*lines[:-1], forged],
        "no JSON": [*lines[:-1], "{", lines[-1]],
        "deep JSON": ["[" * 100_000],
        "a list": ["[]"],
        "wrong types": [json.dumps(dict.fromkeys(("number", "at", "event", "detail", "hash"))), *lines[1:]],
        "wrong types in the end": [*lines[:-1], json.dumps(end | {"signature": 7})],
        "empty": [],
    }
    for name, changed in changes.items():
        with pytest.raises(Exception, match=r"^x: ") as caught:
            check_lines(changed, "x")
        assert type(caught.value).__name__ == "ConsentError", name
        assert "\n" not in str(caught.value)


def test_the_watermark_is_turned_off_with_a_reason_only(capsys: Capture) -> None:
    assert "the watermark is on" in printed(capsys, "watermark", "status")
    assert not audit.log_path().exists(), "to look changes nothing"
    assert "needs a reason" in told(capsys, "watermark", "off")
    assert "the watermark is off" in printed(capsys, "watermark", "off", "--reason", "a listening test")
    status = json.loads(printed(capsys, "watermark", "status", "--json"))
    assert (status["on"], status["reason"], status["problem"]) == (False, "a listening test", "")
    assert 1 <= status["installation"] <= 4_095
    assert [entry.event for entry in audit.entries()] == ["installed", "watermark_off"]
    assert "the watermark is on" in printed(capsys, "watermark", "on")


def test_conversion_says_in_one_line_that_nothing_is_marked(capsys: Capture) -> None:
    soundfile.write("in.wav", np.zeros(4_800), 48_000)
    assert main(["convert", "in.wav", "-o", "on.wav", "-p", "plain", "-q"]) == 0
    assert capsys.readouterr().err == ""
    printed(capsys, "watermark", "off", "--reason", "a listening test")
    assert main(["convert", "in.wav", "-o", "off.wav", "-p", "plain", "-q"]) == 0
    error = capsys.readouterr().err
    assert error.startswith("vcfx: the watermark is off since 20")
    assert error.endswith("(a listening test); converted voices leave unmarked\n")
