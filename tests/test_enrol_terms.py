"""What a speaker agrees to, in words; and what a voice may be called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx_models.enrolment.spoken_statement import spoken_words
from vcfx_models.enrolment.terms import Agreement, Terms, consent_of, parsed_until, parsed_uses, statement_of
from vcfx_models.enrolment.voice_names import RESERVED, checked_voice_name
from vcfx_models.errors import ConsentError, VoiceError
from vcfx_models.papers.consent import USES, format_time, parse_time

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2027-11-22", "2027-11-22"),
        ("30d", "2026-03-02"),
        ("2w", "2026-02-14"),
        ("1m", "2026-02-28"),
        ("13m", "2027-02-28"),
        ("25 m", "2028-02-29"),
        ("1Y", "2027-01-31"),
        ("11m", "2026-12-31"),
    ],
)
def test_the_end_is_that_of_a_day(text: str, day: str) -> None:
    assert parsed_until(text, NOW) == f"{day}T23:59:59Z"


@pytest.mark.parametrize("text", ["", "soon", "0d", "-1d", "2026-13-01", "2026-02-30", "99999y", "1", "30 days", "1h"])
def test_no_time_is_one_sentence(text: str) -> None:
    with pytest.raises(ConsentError, match=r"^the end of the consent is .*; allowed: a day to come like 2027-11-22"):
        parsed_until(text, NOW)


def test_what_is_past_is_refused() -> None:
    with pytest.raises(ConsentError, match=r"'2026-01-30', is past; allowed"):
        parsed_until("2026-01-30", NOW)


@given(st.integers(1, 7_000), st.sampled_from("dwmy"))
def test_spans_are_as_long_as_they_say(count: int, unit: str) -> None:
    end = parse_time(parsed_until(f"{count}{unit}", NOW), "until")
    days = {"d": 1, "w": 7, "m": 30.437, "y": 365.2425}[unit] * count
    assert abs((end - NOW) / timedelta(days=1) - days) < 3.0


def test_uses_are_named_in_any_order_and_case() -> None:
    assert parsed_uses(" Files, live,") == ("live", "files")
    assert parsed_uses("speech,files,live") == USES
    for text in ("", ",", "all", "live;files"):
        with pytest.raises(ConsentError, match="allowed: some of live, files, speech"):
            parsed_uses(text)


def test_the_statement_says_it_all() -> None:
    terms = Terms("Anna Muster", ("live", "files"), "2027-11-22T23:59:59Z", "a play at school.")
    assert statement_of(terms) == (
        "I am Anna Muster. I agree that a computer imitates my voice, to speak with it live and to convert recordings "
        "into it, until 22 November 2027. The purpose is: a play at school. I know that I can take this back at any "
        "time."
    )
    short = statement_of(Terms("Anna", ("speech",), ""))
    assert short.startswith("I am Anna. I agree that a computer imitates my voice, to have texts read with it. I know")
    with pytest.raises(ConsentError, match="shorten name or purpose"):
        statement_of(Terms("Anna", ("live",), "", "x" * 999))


def test_a_record_holds_each_hash_once() -> None:
    terms = Terms("Anna", ("live",), format_time(NOW + timedelta(days=1)))
    consent = consent_of(terms, Agreement("typed", "Yes."), ("a" * 64, "b" * 64, "a" * 64), NOW)
    assert consent.audio_sha256 == ("a" * 64, "b" * 64)
    assert consent.liveness == "unchecked"
    with pytest.raises(ConsentError, match="a spoken statement needs the hash"):
        consent_of(terms, Agreement("spoken", "Yes."), (), NOW)


def test_names_of_voices() -> None:
    assert checked_voice_name("A\u0308nne-Marie O'Neil (2)") == "\u00c4nne-Marie O'Neil (2)"
    assert checked_voice_name("\u5f20\u4f1f") == "\u5f20\u4f1f"
    refused = ["", "x" * 65, "../x", "a/b", "a\\b", "a\nb", "a\tb", ".x", "-x", " x", "x ", "x.", "a:b", "a*", "a|b"]
    refused += ["\u202eabc", "a\u200bb", "x.vcfxvoice", "X.VCFXVOICE", "con", "NUL", "com1.txt", "Lpt9", "a\x00b"]
    for name in refused:
        with pytest.raises(VoiceError, match=r"^the voice's name .+") as caught:
            checked_voice_name(name)
        assert "\n" not in str(caught.value)


@given(st.text(max_size=80))
def test_what_passes_is_one_plain_file_name(name: str) -> None:
    try:
        passed = checked_voice_name(name)
    except VoiceError:
        return
    assert checked_voice_name(passed) == passed
    assert passed.isprintable()
    assert not set(passed) & set('/\\:*?"<>|')
    assert passed.split(".")[0].casefold() not in RESERVED
    assert 1 <= len(passed) <= 64


def test_the_recogniser_is_asked_for_the_longer_words() -> None:
    assert spoken_words("I agree, until 22 May 2027: it\u2019s Bob\u2019s voice.") == [
        "agree",
        "until",
        "it's",
        "bob's",
        "voice",
    ]
