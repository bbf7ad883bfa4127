"""What was said and what was heard: text made comparable, and the number of edits between the two."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

SMALL_NUMBERS: Final = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen
"""
TENS_IN_WORDS: Final = "zero ten twenty thirty forty fifty sixty seventy eighty ninety"
ONES: Final = tuple(SMALL_NUMBERS.split())
TENS: Final = tuple(TENS_IN_WORDS.split())
ORDINALS: Final = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
ABBREVIATIONS: Final = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint"}
SCALES: Final = ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))
#: Larger numbers are read digit by digit.
LARGEST_NUMBER: Final = 999_999_999


def number_in_words(number: int) -> str:
    """Return an English number from 0 to `LARGEST_NUMBER` as it is read out, without "and"."""
    if number < 20:
        return ONES[number]
    if number < 100:
        rest = number % 10
        return TENS[number // 10] + (f" {ONES[rest]}" if rest else "")
    size, name = next(scale for scale in SCALES if number >= scale[0])
    rest = number % size
    return f"{number_in_words(number // size)} {name}" + (f" {number_in_words(rest)}" if rest else "")


def _read_number(match: re.Match[str]) -> str:
    digits, ending = match.group(1), match.group(2)
    if len(digits) > 9 or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(ONES[int(digit)] for digit in digits)
    number = int(digits)
    if len(digits) == 4 and 1100 <= number < 2000 and not ending:
        hundreds, rest = divmod(number, 100)
        return f"{number_in_words(hundreds)} {number_in_words(rest) if rest else 'hundred'}"
    words = number_in_words(number)
    return _ordinal(words) if ending else words


def _ordinal(words: str) -> str:
    *before, last = words.split()
    ending = ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return " ".join([*before, ending])


def comparable(text: str, language: str = "en") -> str:
    """Return text in lower case without punctuation; in English, numbers and a few abbreviations are spelt out."""
    text = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    if language == "en":
        text = re.sub(
            r"\b\d{1,3}(?:,\d{3}){1,2}\b", lambda match: number_in_words(int(match[0].replace(",", ""))), text
        )
        text = text.replace("%", " percent ").replace("&", " and ")
        text = re.sub(r"\b(\d+)(st|nd|rd|th)?\b", _read_number, text)
    text = "".join(" " if _is_separator(sign) else sign for sign in text if sign != "'")
    words = text.split()
    if language == "en":
        words = [ABBREVIATIONS.get(word, word) for word in words]
    return "".join(words) if language == "zh" else " ".join(words)


def _is_separator(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "PSZC"


def edit_distance(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """Return the least number of insertions, deletions and substitutions (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for line, one in enumerate(wanted, 1):
        corner, row[0] = row[0], line
        for column, other in enumerate(heard, 1):
            corner, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, corner + (one != other))
    return row[-1]


def word_errors(wanted: str, heard: str) -> tuple[int, int]:
    """Return edits and words of two comparable texts."""
    return edit_distance(wanted.split(), heard.split()), len(wanted.split())


def sign_errors(wanted: str, heard: str) -> tuple[int, int]:
    """Return edits and letters (blanks left out) of two comparable texts."""
    wanted, heard = wanted.replace(" ", ""), heard.replace(" ", "")
    return edit_distance(wanted, heard), len(wanted)
