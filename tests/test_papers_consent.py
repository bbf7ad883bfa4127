"""Consent records: what is allowed, what is refused and how it is said."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers_stage import consent, moment
from vcfx_models.errors import ConsentError
from vcfx_models.papers.consent import BASES, USES, Consent, format_time, new_consent_id, parse_time
from vcfx_models.papers.strict_json import read_json

LINES = st.text(st.characters(categories=["L", "N", "P"], exclude_characters="\u115f\u1160\u3164\uffa0"), min_size=1)
TIMES = st.datetimes(datetime(1000, 1, 2), datetime(9998, 1, 1))
HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@st.composite
def consents(draw: st.DrawFn) -> Consent:
    given_at = draw(TIMES)
    basis = draw(st.sampled_from(BASES))
    until = format_time(given_at + draw(st.timedeltas(timedelta(seconds=1), timedelta(days=300))))
    return Consent(
        new_consent_id(),
        draw(LINES),
        basis,
        tuple(draw(st.lists(st.sampled_from(USES), min_size=1, unique=True))),
        draw(st.just("") | LINES),
        format_time(given_at),
        draw(st.sampled_from(["", until])) if basis in ("licence", "synthetic") else until,
        draw(LINES),
        draw(HASHES) if basis == "spoken" else draw(st.just("") | HASHES),
        tuple(draw(st.lists(HASHES, max_size=3))),
        draw(st.sampled_from(["passed", "unchecked"])),
    )


@given(consents())
def test_a_record_comes_back_as_itself(record: Consent) -> None:
    assert Consent.from_json(read_json(json.dumps(record.to_json()).encode())) == record


@given(st.sampled_from(sorted(consent().to_json())), JSON)
def test_a_field_of_any_other_kind_is_taken_as_it_is_or_refused_in_one_line(name: str, value: Any) -> None:
    sentence = ""
    try:
        record = Consent.from_json(consent().to_json() | {name: value})
    except ConsentError as error:
        sentence = str(error)
    else:
        assert record.to_json()[name] == value
    assert sentence.isprintable()
    assert len(sentence) < 300


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"consent_id": "0" * 15}, "consent_id is '000000000000000'; allowed: 16 hexadecimal digits"),
        ({"consent_id": "A" * 16}, "allowed: 16 hexadecimal digits"),
        ({"consent_id": "\u0664" * 16}, "allowed: 16 hexadecimal digits"),
        ({"speaker": ""}, "speaker is ''; allowed: one line of 1 to 1000 printable characters"),
        ({"speaker": "   "}, "speaker is"),
        ({"speaker": "\u3164"}, "speaker is"),
        ({"speaker": "a\nb"}, "speaker is 'a\\nb'"),
        ({"speaker": "\x1b[2Jyou"}, "speaker is '\\x1b[2Jyou'"),
        ({"speaker": "anna\u202egnp.exe"}, "speaker is 'anna\\u202egnp.exe'"),
        ({"speaker": "an\u200bna"}, "speaker is 'an\\u200bna'"),
        ({"speaker": "Z" + "\u0301" * 5}, "speaker is"),
        ({"speaker": "\ud800"}, "speaker is '\\ud800'"),
        ({"statement": "x" * 1_001}, "statement is"),
        ({"basis": "asked"}, "basis is 'asked'; allowed: spoken, typed, licence, synthetic"),
        ({"liveness": "yes"}, "liveness is 'yes'; allowed: passed, unchecked"),
        ({"uses": ()}, "uses are ''; allowed: some of live, files, speech"),
        ({"uses": ("live", "live")}, "uses are 'live, live'"),
        ({"uses": ("live", "adverts")}, "uses are 'live, adverts'"),
        ({"until": ""}, "until is empty; needed: the time at which a person's consent ends"),
        ({"until": moment(minutes=-1)}, "it ends on"),
        ({"until": "2027-1-2T03:04:05Z"}, "until is '2027-1-2T03:04:05Z'; allowed: a time like"),
        ({"until": "2027-02-30T00:00:00Z"}, "allowed: a time like"),
        ({"until": "2027-02-03T00:00:00+01:00"}, "allowed: a time like"),
        ({"until": "\u0662\u0660\u0662\u0667-02-03T00:00:00Z"}, "allowed: a time like"),
        ({"given_at": "0999-01-01T00:00:00Z"}, "given_at is '0999-01-01T00:00:00Z'"),
        ({"basis": "spoken"}, "a spoken statement needs the hash of its recording"),
        ({"statement_sha256": "0" * 63}, "hashes are not as allowed"),
        ({"audio_sha256": ("f" * 64,) * 101}, "hashes are not as allowed: at most 100"),
        ({"audio_sha256": ("F" * 64,)}, "hashes are not as allowed"),
    ],
)
def test_what_is_not_allowed_is_one_sentence(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConsentError) as caught:
        consent(**changes)
    assert sentence in str(caught.value)
    assert str(caught.value).isprintable()


def test_fields_are_those_of_a_record() -> None:
    good = consent().to_json()
    bads: tuple[Any, ...] = (
        {**good, "also": "x"},
        {key: good[key] for key in good if key != "until"},
        [],
        None,
        "x",
        7,
    )
    for bad in bads:
        with pytest.raises(ConsentError, match="its fields are not these: consent_id, speaker"):
            Consent.from_json(bad)
    with pytest.raises(ConsentError, match="uses is 'live'; allowed: texts"):
        Consent.from_json(good | {"uses": "live"})
    with pytest.raises(ConsentError, match="speaker holds a list; allowed: text"):
        Consent.from_json(good | {"speaker": ["Anna"]})


@given(TIMES)
def test_times_go_to_text_and_back(time: datetime) -> None:
    text = format_time(time.astimezone())
    assert format_time(parse_time(text, "t")) == text


@pytest.mark.parametrize(
    "content",
    [
        *(
            b'{"a": 1, "a": 2}',
            b'[{"b": {"a": 1, "a": 1}}]',
            b"NaN",
            b"[-Infinity]",
            b"\xff\xfe1\x00",
            b"\xef\xbb\xbf1",
        ),
        *(b'"\xff"', b"", b"{", b"[" * 5_000, b"9" * 5_000, b"1 2", b"\x00", b'{"a": 1,}'),
    ],
)
def test_json_with_two_readings_or_none_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(content)
