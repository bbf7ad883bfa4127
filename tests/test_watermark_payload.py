from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx_dsp.errors import ParameterError
from vcfx_dsp.watermark.payload import CODE_BITS, MAX_PAYLOAD, Payload, decode, encode

numbers = st.integers(0, MAX_PAYLOAD)


@given(number=numbers)
def test_a_number_is_a_payload_and_back(number: int) -> None:
    assert Payload.from_number(number).number == number


@given(one=numbers, other=numbers)
def test_words_differ_in_at_least_12_places_and_add_up_to_words(one: int, other: int) -> None:
    different = encode(one) ^ encode(other)
    np.testing.assert_array_equal(different, encode(one ^ other))
    assert one == other or different.sum() >= 12


@given(number=numbers, wrong=st.sets(st.integers(0, CODE_BITS - 1), max_size=3))
def test_any_three_wrong_bits_are_put_right(number: int, wrong: set[int]) -> None:
    heard = np.asarray(2.0 * encode(number) - 1.0, np.float64)
    heard[list(wrong)] *= -1.0
    assert decode(heard)[:2] == (number, CODE_BITS - 2.0 * len(wrong))


def test_weak_evidence_is_decoded_as_theory_says() -> None:
    """At 1.25 to a spread of 1 the union bound over the 17296 lightest words is 17296 Q(1.25 sqrt 12)."""
    rng = np.random.default_rng(5)
    sent = rng.integers(0, MAX_PAYLOAD + 1, 300)
    read = [decode(1.25 * (2.0 * encode(int(number)) - 1.0) + rng.standard_normal(CODE_BITS))[0] for number in sent]
    assert np.mean(np.array(read) != sent) < 0.13  # 17296 Q(4.33)


def test_it_knows_how_sure_it_is() -> None:
    rng = np.random.default_rng(6)
    right, sure = [], []
    for number in rng.integers(0, MAX_PAYLOAD + 1, 400):
        spread = rng.uniform(0.6, 1.2)
        heard = 2.0 * encode(int(number)) - 1.0 + spread * rng.standard_normal(CODE_BITS)
        read, _, probability = decode(heard, spread)
        right.append(read == number)
        sure.append(probability)
    hits, chances = np.array(right), np.array(sure)
    assert 0.3 < hits.mean() < 0.95
    assert hits[chances > 0.99].mean() > 0.97
    assert hits[chances < 0.5].mean() < 0.5


@pytest.mark.parametrize(("installation", "voice"), [(-1, 0), (4_096, 0), (0, 4_096), (0, -1)])
def test_tags_out_of_range_are_refused(installation: int, voice: int) -> None:
    with pytest.raises(ParameterError, match="allowed: 0 to 4095"):
        Payload(installation, voice)
