"""State, meters and catalogue survive the wire, and what is no such thing is refused."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_surface import FakeSurface
from vcfx.control.live_state import Catalogue, LiveState, Meters, NodeState, ParameterState, RecordingState
from vcfx.control.state_wire import (
    catalogue_from_json,
    catalogue_to_json,
    meters_from_json,
    meters_to_json,
    state_from_json,
    state_to_json,
)
from vcfx.errors import ControlError

numbers = st.floats(allow_nan=False, allow_infinity=False)
bands = st.lists(numbers, max_size=3).map(tuple)
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def over_the_wire(document: dict[str, Any]) -> Any:
    return json.loads(json.dumps(document, allow_nan=False))


@pytest.fixture
def state() -> LiveState:
    return FakeSurface().state()


@given(built=st.builds(Meters, *[numbers] * 5, *[st.integers()] * 3, *[numbers] * 2, bands, bands))
def test_meters_come_in_as_they_went_out(built: Meters) -> None:
    assert meters_from_json(over_the_wire(meters_to_json(built))) == built


@given(title=st.text(), revision=st.integers(), latency_ms=st.dictionaries(st.text(), st.none() | numbers))
def test_a_state_comes_in_as_it_went_out(title: str, revision: int, latency_ms: dict[str, float | None]) -> None:
    state = dataclasses.replace(FakeSurface().state(), preset=title, revision=revision, latency_ms=latency_ms)
    assert state_from_json(over_the_wire(state_to_json(state))) == state


def test_the_whole_of_a_state_and_a_catalogue_survive(state: LiveState) -> None:
    recorded = dataclasses.replace(state, recording=RecordingState("both", ("a.flac", "b.flac"), 2.5, ""))
    assert state_from_json(over_the_wire(state_to_json(recorded))) == recorded
    catalogue = FakeSurface().catalogue()
    assert catalogue_from_json(over_the_wire(catalogue_to_json(catalogue))) == catalogue


def test_numbers_stay_numbers_and_words_words(state: LiveState) -> None:
    word = ParameterState("mode", "2", "1", None, None, ("1", "2"), False, False, True, "")
    whole = ParameterState("voices", 2.0, 3.0, 1.0, 4.0, (), True, False, True, "")
    chained = dataclasses.replace(state, chain=(NodeState("a", "b", False, 1, (word, whole)),))
    found = state_from_json(over_the_wire(state_to_json(chained))).chain[0]
    assert found.parameters == (word, whole)
    assert isinstance(found.latency_ms, float)


def test_what_is_not_finite_goes_as_null(state: LiveState) -> None:
    endless = dataclasses.replace(FakeSurface().meters(), load=math.inf, callback_p99_us=math.nan)
    document = over_the_wire(meters_to_json(endless))
    assert document["load"] is None
    assert math.isnan(meters_from_json(document).load)


def test_fields_of_a_newer_version_are_passed_over(state: LiveState) -> None:
    document = {**state_to_json(state), "mood": "bright"}
    assert state_from_json(document) == state


@given(document=anything)
def test_anything_else_is_refused(document: object) -> None:
    for read in (state_from_json, meters_from_json, catalogue_from_json):
        with pytest.raises(ControlError, match="this is no "):
            read(document)


@given(value=anything)
def test_one_wrong_field_is_refused_or_of_its_type(value: object) -> None:
    document = {**state_to_json(FakeSurface().state()), "talk_mode": value}
    if value in ("open", "push"):
        assert state_from_json(document).talk_mode == value
    else:
        with pytest.raises(ControlError, match="this is no LiveState"):
            state_from_json(document)


def test_a_catalogue_names_its_lists() -> None:
    assert list(catalogue_to_json(FakeSurface().catalogue())) == [field.name for field in dataclasses.fields(Catalogue)]
