"""Text from elsewhere that is shown on terminals: one line, nothing in it that hides or that paints over other text."""

from __future__ import annotations

import unicodedata
from typing import Final

#: Letters and symbols that count as printable and show nothing.
BLANKS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
#: Scripts stack two or three marks on a letter; more climb into the lines above.
MAX_MARKS: Final = 4


def is_one_line(text: str, least: int, most: int) -> bool:
    """Whether a text is one printable line of `least` to `most` characters; with `least` above 0 it shows something.

    Control characters, those that turn the direction of writing, invisible ones and towers of combining marks are not
    printable in this sense.
    """
    if not (least <= len(text) <= most and text.isprintable()) or (least and not text.strip()):
        return False
    if text.isascii():
        return True
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.category(letter).startswith("M") else 0
        if marks > MAX_MARKS or letter in BLANKS:
            return False
    return not unicodedata.category(text[0]).startswith("M")
