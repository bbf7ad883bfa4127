"""What `~` in an option means: the home it names, and a plain name where nobody has such a home."""

from __future__ import annotations

from pathlib import Path

import pytest

from refused_commands import told
from voice_shelf import AGREED, Shelf, shelf_fixture

shelf = pytest.fixture(shelf_fixture)
NOBODY = "~nobody-of-that-name"
#: way in -> `vcfx voices` with a file of nobody's, and what is said of it
WAYS = {
    "passphrase": (["export", "anna", "a.vcfxvoice", "--passphrase-file", f"{NOBODY}/p"], "cannot be read"),
    "import": (["import", f"{NOBODY}/a.vcfxvoice"], "no such"),
    "remove": (["remove", f"{NOBODY}/a.vcfxvoice"], "is a file; name a voice"),
    "rename": (["rename", f"{NOBODY}/a.vcfxvoice", "bert"], "is a file; name a voice"),
    "enroll": (["enroll", "bert", "clip.wav", *AGREED, "--model", NOBODY], "there is no speaker network"),
    "record": (["record", "bert", *AGREED[:-1], "--keep", NOBODY], "there is no folder"),
}


@pytest.mark.parametrize("way", WAYS)
def test_nobodys_home_is_one_sentence(way: str, shelf: Shelf) -> None:
    shelf.put("anna")
    arguments, says = WAYS[way]
    sentence = shelf.refused(*arguments)
    assert NOBODY in sentence
    assert says in sentence
    assert shelf.names() == ["anna.vcfxvoice"]


def test_what_is_written_to_nobodys_home_lies_where_it_says(shelf: Shelf) -> None:
    shelf.put("anna")
    assert f"{NOBODY}/a.vcfxvoice: holds 'anna'" in shelf.run("export", "anna", f"{NOBODY}/a.vcfxvoice", "--plain")
    assert f"{NOBODY}/n.json: the signed notice" in shelf.run("revoke", "anna", "--export", f"{NOBODY}/n.json")
    assert sorted(path.name for path in Path(NOBODY).iterdir()) == ["a.vcfxvoice", "n.json"]


def test_nobodys_home_with_the_networks_is_one_sentence(shelf: Shelf) -> None:
    words = ["x.wav", "--model", NOBODY, "--consent", "Nobody", "--reference", "clip.wav"]
    assert NOBODY in told(shelf.capture, "convert", *words)


def test_a_home_that_is_there_is_found(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path("home").absolute()
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setattr("vcfx_models.enrolment.spoken_statement.heard_share", lambda *_: 0.9)
    (home / "secret").write_text("open sesame\n")
    (home / "net").symlink_to(shelf.model[1])
    shelf.put("anna")
    shelf.run("export", "anna", "~/a.vcfxvoice", "--passphrase-file", "~/secret")
    assert (home / "a.vcfxvoice").read_bytes().startswith(b"VCFXSEAL")
    shelf.run("import", "~/a.vcfxvoice", "--passphrase-file", "~/secret", "--as", "bert")
    shelf.run("revoke", "anna", "--export", "~/notice.json")
    assert (home / "notice.json").is_file()
    shelf.run("enroll", "carl", "clip.wav", *AGREED, "--model", "~/net")
    keep = ["--keep", "~", "--unchecked", "--from", "clip.wav", "clip.wav"]
    shelf.run("record", "dora", *AGREED[:-1], *keep, "--model", "~/net")
    assert (home / "dora-sample.wav").is_file()
    assert shelf.names() == [f"{name}.vcfxvoice" for name in ("anna", "bert", "carl", "dora")]
