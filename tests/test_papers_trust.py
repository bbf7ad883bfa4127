"""Whose signatures count, and who can take a consent back."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers_stage import STRANGER, events, moment, papers_of, signed, write
from vcfx_models.errors import ConsentError
from vcfx_models.papers import audit, revocation, trust
from vcfx_models.papers.admission import is_revoked, refusal
from vcfx_models.papers.keys import PublicKey, SigningKey, create_own_key, own_key
from vcfx_models.papers.revocation import Revocation, keep_revocations, read_notices, revoke, write_notices
from vcfx_models.papers.trust import distrust_key, standing, trust_key, trusted_keys

FRIEND = SigningKey.from_bytes(b"a friend" * 4)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own for each test."""
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "home"))
    return tmp_path / "home" / "papers"


def test_keys_are_own_publisher_trusted_or_unknown() -> None:
    own, publisher = create_own_key(), trust.publisher_key()
    assert publisher is not None
    assert [standing(key) for key in (own.public, publisher, FRIEND.public)] == ["own", "publisher", "unknown"]
    trust_key(FRIEND.public, "A friend")
    assert standing(FRIEND.public) == "trusted"
    assert trusted_keys() == {FRIEND.public.raw.hex(): "A friend"}
    assert standing(STRANGER.public) == "unknown"
    assert not distrust_key(STRANGER.public.fingerprint)
    assert distrust_key(FRIEND.public.fingerprint)
    assert standing(FRIEND.public) == "unknown"


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"7", b'{"abc": "x"}', b'{"zz": 1}', b"[" * 9_999, b"\xff", b'{"": ""}'),
        json.dumps({FRIEND.public.raw.hex().upper(): "x"}).encode(),
        json.dumps({FRIEND.public.raw.hex(): "a\nb"}).encode(),
        json.dumps({FRIEND.public.raw.hex(): 1}).encode(),
        b'{"%b": "a", "%b": "b"}' % ((b"0" * 64,) * 2),
        json.dumps({f"{number:064x}": "" for number in range(1_001)}).encode(),
        b" " * 2_000_001,
    ],
)
def test_a_damaged_list_of_trusted_keys_trusts_nobody(content: bytes, home: Path) -> None:
    write(home / "trusted.json", content)
    for asked in (trusted_keys, lambda: standing(FRIEND.public), lambda: distrust_key("0" * 16)):
        with pytest.raises(ConsentError, match=r"trusted\.json: the list of trusted keys is damaged$"):
            asked()
    assert "the list of trusted keys is damaged" in refusal(papers_of(signed(FRIEND)), "live")


def test_a_list_that_is_no_file_is_one_sentence(home: Path) -> None:
    (home / "trusted.json").mkdir(parents=True)
    with pytest.raises(ConsentError, match="cannot be read: it is no regular file"):
        trust_key(FRIEND.public, "")


def test_names_of_keys_are_one_line_and_keys_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConsentError, match=r"the name of the key is '\\x1b\[2J'; allowed: one line"):
        trust_key(FRIEND.public, "\x1b[2J")
    monkeypatch.setattr(trust, "MAX_TRUSTED", 1)
    trust_key(FRIEND.public, "")
    trust_key(FRIEND.public, "again")
    with pytest.raises(ConsentError, match="1 keys are trusted; allowed: 1"):
        trust_key(STRANGER.public, "")


def test_a_copy_of_the_program_without_publisher_trusts_no_publisher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, content in enumerate((b"", b"xyz", b"00" * 31, b"\xff" * 64)):
        monkeypatch.setattr(trust, "PUBLISHER_FILE", write(tmp_path / str(number), content))
        assert trust.publisher_key() is None
    monkeypatch.setattr(trust, "PUBLISHER_FILE", tmp_path / "gone")
    assert trust.publisher_key() is None


def test_issuer_and_own_installation_can_take_back_and_nobody_else() -> None:
    own = create_own_key()
    trust_key(FRIEND.public, "")
    trust_key(STRANGER.public, "")
    for key, ends in ((FRIEND, True), (own, True), (STRANGER, False)):
        papers = papers_of(signed(FRIEND))
        assert refusal(papers, "live") == ""
        keep_revocations([revoke(papers.consent.consent_id, moment(), "", key)])
        assert is_revoked(papers) is ends
        assert ("was taken back" in refusal(papers, "live")) is ends


def test_another_consent_stays(home: Path) -> None:
    first, second = papers_of(signed()), papers_of(signed())
    keep_revocations([revoke(first.consent.consent_id, moment(), "changed her mind", create_own_key())])
    assert [is_revoked(first), is_revoked(second)] == [True, False]


@given(st.sampled_from(["consent_id", "revoked_at", "reason", "issuer", "signature"]), st.data())
def test_a_notice_with_any_letter_changed_is_forged(field: str, data: st.DataObject) -> None:
    notice = revoke("0123456789abcdef", "2026-11-22T18:00:00Z", "why not", FRIEND)
    assert notice.is_genuine()
    text = getattr(notice, field)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("0123456789abcdef").filter(lambda letter: letter != text[at]))
    with contextlib.suppress(ConsentError):  # a month may become the 92nd
        assert not dataclasses.replace(notice, **{field: text[:at] + letter + text[at + 1 :]}).is_genuine()


def test_forged_notices_are_neither_read_nor_kept(tmp_path: Path) -> None:
    papers = papers_of(signed(FRIEND))
    mine = revoke(papers.consent.consent_id, moment(), "", STRANGER)
    forged = dataclasses.replace(mine, issuer=FRIEND.public.raw.hex())
    write_notices(tmp_path / "notices.json", [forged])
    with pytest.raises(ConsentError, match="is not signed by whom it names"):
        read_notices(tmp_path / "notices.json")
    with pytest.raises(ConsentError, match="is not signed by whom it names"):
        keep_revocations([forged])
    write_notices(revocation.revocations_path(), [forged])
    assert not is_revoked(papers), "whoever writes into the list cannot take back for others"


@pytest.mark.parametrize("name", ["notices.json", "revoked.json"])
def test_notices_are_handed_on(tmp_path: Path, name: str) -> None:
    notices = [revoke(f"{number:016x}", moment(), f"r\u00e9ason {number}", FRIEND) for number in range(3)]
    write_notices(tmp_path / name, notices)
    assert read_notices(tmp_path / name) == notices


GOOD = dataclasses.asdict(revoke("0" * 16, "2026-11-22T18:00:00Z", "", FRIEND))


@pytest.mark.parametrize(
    "given_list",
    [
        *({}, 7, None, [[]], ["x"], [None], [{}], [GOOD | {"also": "x"}], [GOOD | {"reason": 1}]),
        [GOOD | {"consent_id": "short"}],
        [GOOD | {"issuer": "zz" * 32}],
        [GOOD | {"issuer": GOOD["issuer"].upper()}],
        [GOOD | {"signature": " " + GOOD["signature"]}],
        [GOOD | {"revoked_at": "now"}],
        [GOOD | {"reason": "\x1b[31m"}],
        [GOOD] * 10_001,
    ],
)
def test_a_damaged_list_of_notices_is_one_sentence_and_allows_nothing(given_list: object, home: Path) -> None:
    content = json.dumps(given_list).encode()
    elsewhere = write(home.parent / "n.json", content)
    with pytest.raises(ConsentError, match=r"n\.json: is damaged, or no list of revocations") as caught:
        read_notices(elsewhere)
    assert str(caught.value).isprintable()
    papers = papers_of(signed())
    write(home / "revoked.json", content)
    assert "revoked.json: is damaged" in refusal(papers, "live")


def test_lists_that_are_none_are_named(tmp_path: Path) -> None:
    for content in (b"", b"[", b"[" * 9_999, b"\xff", b" " * 5_000_001, b'[{"reason": "", "reason": ""}]'):
        with pytest.raises(ConsentError, match="is damaged"):
            read_notices(write(tmp_path / "x.json", content))
    with pytest.raises(ConsentError, match="there is no such file"):
        read_notices(tmp_path / "gone.json")
    with pytest.raises(ConsentError, match="cannot be read: it is no regular file"):
        read_notices(tmp_path)
    revocation.revocations_path().mkdir(parents=True)
    assert "it is no regular file" in refusal(papers_of(signed()), "live"), "what cannot be read may revoke"
    with pytest.raises(ConsentError, match="cannot be read"):
        read_notices(Path("a\0b"))


def test_a_notice_stays_known_when_the_list_is_gone() -> None:
    trust_key(FRIEND.public, "")
    papers, other = papers_of(signed(FRIEND)), papers_of(signed(FRIEND))
    keep_revocations([revoke(papers.consent.consent_id, moment(), "", FRIEND)])
    keep_revocations([revoke(other.consent.consent_id, moment(), "", STRANGER)])
    revocation.revocations_path().unlink()
    assert is_revoked(papers)
    assert not is_revoked(other)
    assert events() == ["installed", "revoked", "revoked"]
    own = papers_of(signed())
    audit.append("revoked", {"consent": own.consent.consent_id})
    assert is_revoked(own)


def test_a_power_loss_before_the_list_is_written_leaves_the_notice_known(monkeypatch: pytest.MonkeyPatch) -> None:
    create_own_key()  # which is a file written in the same way
    trust_key(FRIEND.public, "")
    papers = papers_of(signed(FRIEND))
    monkeypatch.setattr(
        "vcfx_models.whole_file.os.replace", lambda *paths: (_ for _ in ()).throw(OSError(5, "I/O error"))
    )
    with pytest.raises(ConsentError, match=r"revoked\.json: cannot be written: I/O error"):
        keep_revocations([revoke(papers.consent.consent_id, moment(), "", FRIEND)])
    assert not revocation.revocations_path().exists()
    assert is_revoked(papers)


def test_notices_are_kept_once_and_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    notices = [revoke(f"{number:016x}", moment(), "", FRIEND) for number in range(3)]
    keep_revocations(notices[:2])
    keep_revocations([*notices[:1], *notices, notices[2]])
    assert revocation.kept_revocations() == notices
    assert events().count("revoked") == 3
    monkeypatch.setattr(revocation, "MAX_NOTICES", 3)
    with pytest.raises(ConsentError, match="4 notices are too many to keep; allowed: 3"):
        keep_revocations([revoke("f" * 16, moment(), "", FRIEND)])


def test_a_key_file_that_is_none_is_one_sentence(home: Path) -> None:
    for content in (b"", bytes(31), bytes(33), bytes(10_000)):
        write(home / "installation.key", content)
        with pytest.raises(ConsentError, match="the installation's key does not have the 32 bytes"):
            own_key()
        assert "the installation's key does not have" in refusal(papers_of(signed(FRIEND)), "live")
    (home / "installation.key").unlink()
    (home / "installation.key").mkdir()
    with pytest.raises(ConsentError, match="cannot be read: it is no regular file"):
        own_key()
    (home / "installation.key").rmdir()
    (home / "installation.key").symlink_to(home / "gone")
    with pytest.raises(ConsentError, match="the installation's key is no file"):
        own_key()


def test_the_key_is_for_this_user_alone(home: Path) -> None:
    create_own_key()
    assert (home / "installation.key").stat().st_mode & 0o077 == 0
    assert home.stat().st_mode & 0o077 == 0
    assert not [path.name for path in home.iterdir() if path.name.startswith(".key")]
    assert isinstance(create_own_key().public, PublicKey)


def test_a_notice_must_be_one() -> None:
    with pytest.raises(ConsentError, match=r"reason is 'a\\nb'; allowed: one line"):
        revoke("0" * 16, moment(), "a\nb", FRIEND)
    with pytest.raises(ConsentError, match="consent_id is 'x'; allowed: hexadecimal digits"):
        Revocation("x", moment(), "", "0" * 64, "0" * 128)
