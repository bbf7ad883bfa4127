"""Names of people in their own letters are shown; what hides, paints over or turns round is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx_models.one_line import is_one_line

NAMES = [
    *(
        "Zo\u00eb",
        "Zoe\u0308",
        "O'Connor-Smith, Jr.",
        "Nguy\u1ec5n Th\u1ecb Minh Khai",
        "\u5c71\u7530 \u592a\u90ce",
        "x",
    ),
    *(
        "\u0645\u062d\u0645\u062f",
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd",
    ),
    *("\u0915\u0943\u0937\u094d\u0923\u093e", "\u0915\u094d\u200d\u0937", "\u0e19\u0e49\u0e33", "\U0001f3a4 me"),
]
TRICKS = [
    *("", " ", "\t", "a\nb", "a\rb", "\x1b[31m", "\x9b2J", "a\x00", "\u00a0", "a\u2028b", "a\u2029b", "\x7f"),
    *("\u202eevil", "a\u2066b", "a\u200fb", "an\u200bna", "an\u200cna", "an\u200dna", "\u200c", "a\u00adb", "\ufeffa"),
    *("\u3164", "a\u2800b", "\u115f", "\u0301a", "a" + "\u0301" * 5, "\ud800", "\ue000", "\U000e0041", "\U0010ffff"),
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_lines(name: str) -> None:
    assert is_one_line(name, 1, 40)
    assert not is_one_line(name, 1, len(name) - 1)
    assert not is_one_line(name, len(name) + 1, 99)


@pytest.mark.parametrize("trick", TRICKS)
def test_tricks_are_none(trick: str) -> None:
    assert not is_one_line(trick, 1, 40)


def test_nothing_is_a_line_where_nothing_is_needed() -> None:
    assert is_one_line("", 0, 10)
    assert is_one_line("   ", 0, 10)


@given(
    st.text(st.characters(categories=["C", "Zl", "Zp"], exclude_characters="\u200c\u200d"), min_size=1),
    st.text(),
    st.text(),
)
def test_what_controls_terminals_never_passes(control: str, before: str, after: str) -> None:
    assert not is_one_line(before + control + after, 0, 10_000)
