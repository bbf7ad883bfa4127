"""Bundles and locked bundles: whole, damaged, forged, spliced."""

from __future__ import annotations

import contextlib
import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers_stage import STRANGER, joined, moment, parts, resigned, signed
from vcfx_models.errors import ConsentError, VoiceError
from vcfx_models.papers import sealing
from vcfx_models.papers.bundle import MAX_BYTES, read_bundle, write_bundle
from vcfx_models.papers.keys import PublicKey, SigningKey
from voice_models import consent_for_tests, random_voice

KEY = SigningKey.from_bytes(b"somebody" * 4)
GOOD = signed(KEY, speaker="Zo\u00eb")
OTHER = signed(KEY, random_voice("other"))


def refusal(content: bytes, kind: type[VoiceError] = VoiceError) -> str:
    with pytest.raises(kind) as caught:
        read_bundle(content, "v")
    sentence = str(caught.value)
    assert sentence.startswith("v: ")
    assert sentence.isprintable()
    assert len(sentence) < 300
    return sentence


def test_a_bundle_gives_back_voice_and_papers() -> None:
    record, voice = consent_for_tests(), random_voice("anna")
    content = write_bundle(voice, record, KEY, moment(), "A studio")
    found = read_bundle(content, "v")
    assert found.name == "anna"
    np.testing.assert_array_equal(found.embedding, voice.embedding)
    papers = found.papers
    assert papers is not None
    assert (papers.consent, papers.issuer, papers.issuer_name) == (record, KEY.public, "A studio")
    assert papers.bundle_sha256 == hashlib.sha256(content).hexdigest()
    assert papers.voice_id == hashlib.sha256(parts(content)[1]).hexdigest()[:16]


@pytest.mark.parametrize("bit", range(8))
def test_a_bit_flipped_anywhere_is_refused(bit: int) -> None:
    taken = []
    for at in range(bit, len(GOOD), 8):
        content = bytearray(GOOD)
        for place in range(at, min(at + 8, len(GOOD))):
            content[place] ^= 1 << bit
            with contextlib.suppress(VoiceError):
                read_bundle(bytes(content), "v")
                taken.append(place)
            content[place] ^= 1 << bit
    assert not taken


@given(st.integers(0, len(GOOD) - 1))
def test_an_end_cut_off_is_refused(length: int) -> None:
    refusal(GOOD[:length])


@given(st.binary(min_size=1, max_size=300))
def test_something_added_is_refused(more: bytes) -> None:
    refusal(GOOD + more, ConsentError)


def test_parts_of_two_bundles_do_not_fit() -> None:
    (papers, voice), (_, other_voice) = parts(GOOD), parts(OTHER)
    assert "signature does not fit" in refusal(GOOD[:-96] + OTHER[-96:], ConsentError)
    assert "signature does not fit" in refusal(GOOD[:-64] + OTHER[-64:], ConsentError)
    assert "signature does not fit" in refusal(GOOD[:-96] + STRANGER.public.raw + GOOD[-64:], ConsentError)
    assert "its papers belong to another voice" in refusal(joined(papers, other_voice, KEY), ConsentError)
    assert "holds 3 bytes too many" in refusal(joined(papers, voice, KEY, b"abc"))
    assert read_bundle(joined(papers, voice, STRANGER), "v").papers.issuer == STRANGER.public  # type: ignore[union-attr]


def test_lengths_that_lie_are_refused_though_signed() -> None:
    papers, voice = parts(GOOD)
    for lie in (0, 1, len(papers) - 1, len(papers) + 1, 0x7FFFFFFF, 0xFFFFFFFF):
        content = GOOD[:8] + struct.pack("<I", lie) + papers + struct.pack("<I", len(voice)) + voice + KEY.public.raw
        refusal(content + KEY.sign(content))
    short = GOOD[:8] + struct.pack("<I", 0) + KEY.public.raw
    refusal(short + bytes(8) + KEY.sign(short + bytes(8)))


@pytest.mark.parametrize(
    ("papers", "sentence"),
    [
        (b"{}", "its papers do not hold these: consent, issuer_name, issued_at, voice_sha256"),
        (b"[]", "do not hold these"),
        (b"\xff", "its papers cannot be read"),
        (b"[" * 60_000, "its papers cannot be read"),
        (b" " * 64_001, "its papers have 64001 bytes; allowed: 64000"),
        (b'{"consent": 1, "consent": 2}', "its papers cannot be read"),
    ],
)
def test_papers_that_are_none_are_refused_though_signed(papers: bytes, sentence: str) -> None:
    assert sentence in refusal(joined(papers, parts(GOOD)[1], KEY), ConsentError)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("issuer_name", "a\nb", "issuer_name is 'a\\nb'"),
        ("issuer_name", [[[]]], "issuer_name is of the kind list"),
        ("issued_at", "yesterday", "issued_at is 'yesterday'; allowed: a time like"),
        ("voice_sha256", "0" * 64, "its papers belong to another voice"),
        ("consent", None, "its fields are not these"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object, sentence: str) -> None:
    assert sentence in refusal(resigned(GOOD, KEY, lambda papers: papers.update({field: value})), ConsentError)


def test_what_is_no_bundle_is_told_apart() -> None:
    assert "has no papers" in refusal(parts(GOOD)[1], ConsentError)
    assert "has no papers" in refusal(b"", ConsentError)
    assert "is larger than 200 kB" in refusal(GOOD[:8] + bytes(MAX_BYTES))
    assert "has the format b'2'; this vcfx reads b'1'" in refusal(GOOD[:7] + b"2" + GOOD[8:])
    assert "is locked with a passphrase" in refusal(sealing.seal(GOOD, "open sesame"))
    assert "it ends after 10 bytes" in refusal(GOOD[:10])


def test_an_issuer_has_a_name_of_one_line() -> None:
    with pytest.raises(ConsentError, match=r"the issuer's name is 'a\\nb'; allowed: one line"):
        write_bundle(random_voice("a"), consent_for_tests(), KEY, moment(), "a\nb")
    with pytest.raises(ConsentError, match="a public key has 31 bytes; allowed: 32"):
        PublicKey(bytes(31))


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "COST", 10)


def test_a_locked_bundle_opens_with_its_passphrase_alone(cheap: None) -> None:
    locked = sealing.seal(GOOD, "caf\u00e9 au lait")
    assert sealing.is_sealed(locked)
    assert not sealing.is_sealed(GOOD)
    assert sealing.unseal(locked, "caf\u00e9 au lait", "v") == GOOD
    assert sealing.unseal(locked, "cafe\u0301 au lait", "v") == GOOD, "the same letter, typed in another way"
    assert sealing.seal(GOOD, "caf\u00e9 au lait") != locked
    assert sealing.unseal(sealing.seal(GOOD, "\ud800" * 8), "\ud800" * 8, "v") == GOOD
    for wrong in ("cafe au lait", "", "caf\u00e9 au lait "):
        with pytest.raises(VoiceError, match="the passphrase is wrong, or the file is damaged"):
            sealing.unseal(locked, wrong, "v")
    with pytest.raises(VoiceError, match="the passphrase has 7 characters; needed: 8 or more"):
        sealing.seal(GOOD, "seven77")


def test_a_locked_bundle_that_was_touched_does_not_open(cheap: None) -> None:
    locked = sealing.seal(GOOD, "open sesame")
    for at in (*range(0, 38), 100, 1_000, len(locked) - 1):
        content = bytearray(locked)
        content[at] ^= 1
        with pytest.raises(VoiceError, match=r"^v: .+"):
            sealing.unseal(bytes(content), "open sesame", "v")
    for length in (0, 8, 37, 38, 53, len(locked) - 1):
        with pytest.raises(VoiceError, match=r"^v: .+"):
            sealing.unseal(locked[:length], "open sesame", "v")


@pytest.mark.parametrize("cost", [0, 9, 18, 31, 63, 255])
def test_a_file_cannot_ask_for_all_memory(cost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "_key", lambda *arguments: pytest.fail("the key was derived"))
    with pytest.raises(VoiceError, match=rf"is locked in the way 1/{cost}; this vcfx opens 1/10 to 17"):
        sealing.unseal(sealing.MAGIC + bytes([1, cost]) + bytes(200), "open sesame", "v")
    with pytest.raises(VoiceError, match="is larger than 200 kB"):
        sealing.unseal(sealing.MAGIC + bytes([1, 15]) + bytes(300_000), "open sesame", "v")


def test_too_little_memory_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*arguments: object, **others: object) -> None:
        raise MemoryError

    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.scrypt.Scrypt", none_left)
    with pytest.raises(VoiceError, match="needs 32 MB of memory"):
        sealing.seal(GOOD, "open sesame")
