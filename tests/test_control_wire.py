"""Messages on the wire: round trip, and refusal of whatever is not one."""

from __future__ import annotations

import json
import math
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx.control import messages as m
from vcfx.control import wire
from vcfx.errors import ControlError

KINDS = typing.get_args(m.Message)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def printable_text() -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["C", "Z"]), max_size=30)


def finite() -> st.SearchStrategy[float]:
    return st.floats(-1e9, 1e9)


def any_message() -> st.SearchStrategy[Any]:
    known: dict[type[Any], st.SearchStrategy[Any]] = {str: printable_text(), float: finite()}
    for kind, strategy in known.items():
        st.register_type_strategy(kind, strategy)
    return st.one_of([st.builds(kind) for kind in KINDS])


@given(any_message())
def test_every_message_comes_back_as_itself(message: m.Message) -> None:
    text = json.dumps(wire.message_to_json(message))
    assert wire.message_from_json(json.loads(text)) == message


@given(st.dictionaries(st.sampled_from(["type", "preset", "node", "value", "on", "by"]), JSON) | JSON)
def test_anything_else_is_refused_with_a_sentence(document: Any) -> None:
    try:
        assert isinstance(wire.message_from_json(document), KINDS)
    except ControlError as error:
        sentence = str(error)
    else:
        return
    assert sentence.isprintable()
    assert len(sentence) < 600


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"type": "switch_prest", "preset": "deep"}, "switch_preset"),
        ({"type": "switch_preset"}, "'preset' is missing"),
        ({"type": "switch_preset", "preset": 3}, "preset is 3; allowed: text"),
        ({"type": "mute", "on": 1}, "on is 1; allowed: true or false or null"),
        ({"type": "set_parameter", "node": "a", "parameter": "b", "value": math.nan}, "allowed: a finite number"),
        ({"type": "talk_mode", "mode": "loud"}, "allowed: open, push"),
        ({"type": "panic", "now": True}, "unknown field 'now'; it has none"),
        ([1], "JSON object"),
    ],
)
def test_the_sentence_names_what_is_wrong(document: Any, sentence: str) -> None:
    with pytest.raises(ControlError, match=sentence):
        wire.message_from_json(document)


@pytest.mark.parametrize("outcome", [m.Applied(3, 1.5, "x"), m.Applied(None, 0.0), m.Refused("no")])
def test_outcomes_come_back(outcome: m.Outcome) -> None:
    assert wire.outcome_from_json(json.loads(json.dumps(wire.outcome_to_json(outcome)))) == outcome
