"""Which source is converted to which target: a fixed, seeded list over speakers that training never saw."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Final

from .corpus import Clip
from .errors import EvaluationError

DEFAULT_COUNT: Final = 60
QUICK_COUNT: Final = 16
DEFAULT_SEED: Final = 20
#: Shorter clips hold too few words, longer ones cost too much.
SHORTEST_S: Final = 3.0
LONGEST_S: Final = 12.0
SOURCE_SPLIT: Final = "dev-source"
TARGET_SPLIT: Final = "dev-target"
#: The part of a target's only clip that a converter hears; similarity is judged on the rest.
REFERENCE_RATIO: Final = 0.6


@dataclass(frozen=True, slots=True)
class Conversion:
    """One utterance to be said in one voice; `earlier` is something else that the source's speaker said."""

    id: str
    source: Clip
    target: Clip
    earlier: Clip | None = None

    @property
    def genders(self) -> str:
        """Of source and target, as in ``f-m``."""
        return f"{self.source.gender}-{self.target.gender}"


def choose_conversions(clips: Sequence[Clip], count: int, seed: int = DEFAULT_SEED) -> list[Conversion]:
    """Return the first `count` conversions of an endless list that depends on clips and seed alone.

    The list walks through source set x source gender x target gender in turn, and within each through source speakers,
    their clips, and target speakers, so that every prefix is balanced as far as its length allows.

    Raises
    ------
    EvaluationError
        If the clips hold no sources or no targets.
    """
    sources = [clip for clip in clips if clip.split == SOURCE_SPLIT and SHORTEST_S <= clip.seconds <= LONGEST_S]
    targets = [clip for clip in clips if clip.split == TARGET_SPLIT]
    if not sources or not targets:
        missing = SOURCE_SPLIT if not sources else TARGET_SPLIT
        raise EvaluationError(f"the corpus has no clip of the split '{missing}' that can be used")
    order = random.Random(seed)
    endless_targets = {gender: cycle(_speakers_in_turn(group, order)) for gender, group in _groups(targets, _gender)}
    # Each cell has an order of its own: shared, two speakers in turn would each meet targets of one gender only.
    cells = [
        (cycle(_speakers_in_turn(group, order)), endless_targets[gender])
        for gender in sorted(endless_targets, reverse=True)
        for _, group in _groups(sources, _gender_and_set)
    ]
    turns = zip(range(count), cycle(cells), strict=False)
    pairs = [(next(source), next(target)) for _, (source, target) in turns]
    return [Conversion(f"c{index:03d}", *pair, _earlier(clips, pair[0])) for index, pair in enumerate(pairs)]


def _earlier(clips: Sequence[Clip], source: Clip) -> Clip | None:
    """Return the longest other clip of a source's speaker."""
    speaker = (source.set, source.speaker)
    others = [clip for clip in clips if (clip.set, clip.speaker) == speaker and clip.path != source.path]
    return max(others, key=lambda clip: (clip.seconds, clip.path), default=None)


def _gender(clip: Clip) -> str:
    return clip.gender


def _gender_and_set(clip: Clip) -> str:
    return f"{clip.gender} {clip.set}"


def _groups(clips: Sequence[Clip], kind_of: Callable[[Clip], str]) -> list[tuple[str, list[Clip]]]:
    """Return the kinds in alphabetical order with their clips in the order of their paths."""
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: clip.path):
        groups[kind_of(clip)].append(clip)
    return sorted(groups.items())


def _speakers_in_turn(clips: Sequence[Clip], order: random.Random) -> list[Clip]:
    """Shuffle speakers and each one's clips; then one clip of each speaker, a second of each, and so on."""
    by_speaker: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_speaker[clip.speaker].append(clip)
    speakers = sorted(by_speaker)
    order.shuffle(speakers)
    for speaker in speakers:
        order.shuffle(by_speaker[speaker])
    longest = max(len(members) for members in by_speaker.values())
    return [
        by_speaker[speaker][turn] for turn in range(longest) for speaker in speakers if turn < len(by_speaker[speaker])
    ]
