"""Text from elsewhere that is shown on terminals: one line, nothing in it that hides or that paints over other text."""

from __future__ import annotations

import unicodedata
from typing import Final

#: Letters and symbols that count as printable and show nothing.
BLANKS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
#: Zero width non-joiner and joiner.
JOINERS: Final = frozenset("\u200c\u200d")
#: The combining class of the signs that take a letter's vowel away.
VIRAMA: Final = 9
#: Scripts stack two or three marks on a letter; more climb into the lines above.
MAX_MARKS: Final = 4


def is_one_line(text: str, least: int, most: int) -> bool:
    """Whether a text is one printable line of `least` to `most` characters; with `least` above 0 it shows something.

    Control characters, those that turn the direction of writing, invisible ones and towers of combining marks are not
    printable in this sense. The two joiners are, where Persian and the scripts of India cannot do without: after a
    virama, and between Arabic letters (the rule of RFC 5892, A.1 and A.2, without its list of letter forms).
    """
    if not least <= len(text) <= most or (least and not text.strip()):
        return False
    if text.isascii():
        return text.isprintable()
    padded, marks = f" {text} ", 0
    for before, letter, after in zip(padded, text, padded[2:], strict=False):
        if letter in JOINERS:
            if not _may_join(before, after):
                return False
            continue
        marks = marks + 1 if unicodedata.category(letter).startswith("M") else 0
        if marks > MAX_MARKS or letter in BLANKS or not letter.isprintable():
            return False
    return not unicodedata.category(text[0]).startswith("M")


def _may_join(before: str, after: str) -> bool:
    between_arabic = unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL"
    return between_arabic or unicodedata.combining(before) == VIRAMA
