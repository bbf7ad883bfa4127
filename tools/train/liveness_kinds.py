"""The kinds of clips: live speech and each attack, how many of them, and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from . import liveness_attacks as attacks
from . import liveness_synthesis as speech
from .liveness_material import JUDGED_SETS, LEARNED_SETS, Mono, Take, load
from .liveness_rooms import other_loudspeaker, small_loudspeaker


class Made(NamedTuple):
    """A clip before the channel: sound, who speaks, and the corpus or program it comes from."""

    mono: Mono
    speaker: str
    origin: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    Parameters
    ----------
    name
        Of the kind.
    counts
        Clips for train, dev and test; none to learn from makes it an unseen kind.
    room_share
        How often the channel has a room; a loudspeaker always plays into one.
    """

    name: str
    counts: tuple[int, int, int]
    room_share: float = 0.4


LIVE: Final = "live"
KINDS: Final = (
    Kind(LIVE, (380, 60, 200)),
    Kind("kokoro", (100, 8, 40)),
    Kind("flite", (60, 6, 24)),
    Kind("griffin_lim", (50, 6, 20)),
    Kind("world", (36, 5, 16)),
    Kind("converter", (14, 3, 12)),
    Kind("replay", (130, 14, 40), 1.0),
    Kind("replay_other", (0, 0, 40), 1.0),
    Kind("piper", (0, 0, 20)),
    Kind("espeak", (0, 0, 24)),
    Kind("festival_hts", (0, 0, 16)),
    Kind("festival_diphone", (0, 0, 16)),
    Kind("pico", (0, 0, 24)),
    Kind("pitch_shift", (0, 0, 24)),
)
#: Share of each corpus among the live clips of a split.
_LEARNED_SHARES: Final = dict(zip(LEARNED_SETS, (0.42, 0.5, 0.04, 0.04), strict=True))
_TEST_SHARES: Final = {"librispeech": 0.2, "speechocean762": 0.2} | dict(
    zip(JUDGED_SETS, (0.15, 0.05, 0.07, 0.13, 0.1, 0.1), strict=True)
)

Rng = np.random.Generator


class Maker:
    """Makes the clips of each kind from the corpus's recordings and from other programs.

    Parameters
    ----------
    corpus
        Folder of the corpus.
    real, synthetic
        Its recordings, from `liveness_material`.
    python, piper_model
        Of the environment that holds piper-tts and py-nanotts.
    """

    def __init__(
        self, corpus: Path, real: Sequence[Take], synthetic: Sequence[Take], python: Path, piper_model: Path
    ) -> None:
        self._corpus, self._real, self._synthetic = corpus, real, synthetic
        self._python, self._model = python, piper_model

    def clips(self, kind: str, split: str, count: int, rng: Rng) -> Iterator[Made]:
        """Yield `count` clips of a kind for a split."""
        if kind == LIVE:
            yield from self._live(split, count, rng)
        elif kind == "kokoro":
            takes = [take for take in self._synthetic if take.split == split][:count]
            yield from (Made(load(self._corpus, t.clip, rng), t.clip.speaker, t.clip.set) for t in takes)
        elif kind in _FROM_SPEECH:
            yield from self._from_speech(_FROM_SPEECH[kind], split, count, rng)
        elif kind == "converter":
            yield from self._converted(split, count, rng)
        else:
            yield from self._from_text(kind, split, count, rng)

    def _live(self, split: str, count: int, rng: Rng) -> Iterator[Made]:
        shares = _TEST_SHARES if split == "test" else _LEARNED_SHARES
        for name, share in shares.items():
            takes = [take for take in self._real if take.split == split and take.clip.set == name]
            for take in takes[: round(share * count)]:
                yield Made(load(self._corpus, take.clip, rng), f"{name}/{take.clip.speaker}", name)

    def _sources(self, split: str, count: int, rng: Rng) -> list[Take]:
        takes = [take for take in self._real if take.split == split and take.clip.set in LEARNED_SETS[:2]]
        first = takes[: max(3 * count, 60)]
        return [first[at] for at in rng.permutation(len(first))[:count]]

    def _from_speech(self, attack: Callable[[Mono, Rng], Mono], split: str, count: int, rng: Rng) -> Iterator[Made]:
        for take in self._sources(split, count, rng):
            mono = attack(load(self._corpus, take.clip, rng), rng)
            yield Made(mono, f"{take.clip.set}/{take.clip.speaker}", take.clip.set)

    def _converted(self, split: str, count: int, rng: Rng) -> Iterator[Made]:
        names = attacks.shipped_voices()
        own = names[::3] if split == "test" else [name for name in names if name not in names[::3]]
        for number, take in enumerate(self._sources(split, count, rng)):
            name = own[number % len(own)]
            yield Made(attacks.converted(load(self._corpus, take.clip, rng), name), name, take.clip.set)

    def _from_text(self, kind: str, split: str, count: int, rng: Rng) -> Iterator[Made]:
        commands = self._commands(kind, split)
        each = -(-count // len(commands))
        for voice, command in commands.items():
            takes = [take for take in self._sources(split, 4 * each, rng) if 3 < len(take.clip.text.split()) < 15]
            texts = [take.clip.text.lower() for take in takes[:each]]
            yield from (Made(mono, voice, kind) for mono in speech.spoken(command, texts))

    def _commands(self, kind: str, split: str) -> dict[str, speech.Command]:
        return {
            "flite": {v: speech.flite(v) for v in (("awb",) if split == "test" else ("slt", "rms", "kal"))},
            "espeak": {v: speech.espeak(v) for v in ("en-us", "en-gb+f2")},
            "festival_hts": {"slt-hts": speech.festival("cmu_us_slt_arctic_hts")},
            "festival_diphone": {"kal-diphone": speech.festival("kal_diphone")},
            "piper": {"joe": speech.piper(self._python, self._model)},
            "pico": {v: speech.pico(self._python, v) for v in ("en-GB", "en-US")},
        }[kind]


_FROM_SPEECH: Final[dict[str, Callable[[Mono, Rng], Mono]]] = {
    "griffin_lim": attacks.griffin_lim,
    "world": attacks.world_copy,
    "replay": small_loudspeaker,
    "replay_other": other_loudspeaker,
    "pitch_shift": attacks.shifted,
}
